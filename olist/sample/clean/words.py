"""Invented category names and review phrases, in the manner of the published ones."""

from typing import Final

# Portuguese name and English name, 71 pairs.
CATEGORIES: Final = tuple(
    tuple(pair.split())
    for pair in """
    toalhas_e_lencois towels_and_sheets
    higiene_e_cuidados hygiene_care
    futebol_e_ginastica football_gymnastics
    sofas_e_estantes sofas_shelves
    acessorios_de_computador computer_extras
    panelas_e_talheres pans_cutlery
    pulseiras_e_brincos bracelets_earrings
    capas_de_celular phone_cases
    pneus_e_pecas tyres_and_parts
    brinquedos_de_madeira wooden_toys
    bicicletas_e_patins bikes_and_skates
    carrinhos_de_bebe prams
    ferramentas_manuais hand_tools
    luminarias lamps
    vasos_e_sementes pots_and_seeds
    racao_e_coleiras pet_food_and_collars
    cadernos_e_canetas notebooks_pens
    televisores television_sets
    cabos_e_carregadores cables_chargers
    mesas_de_escritorio office_desks
    relogios_de_parede wall_clocks
    mochilas_escolares school_bags
    perfumes_importados imported_perfumes
    violoes_e_flautas guitars_flutes
    livros_infantis childrens_books
    livros_de_receitas cookbooks
    romances novels
    quadrinhos comics
    discos_de_vinil vinyl_records
    filmes_antigos old_films
    jogos_de_tabuleiro board_games
    quebra_cabecas jigsaw_puzzles
    cafeteiras coffee_makers
    liquidificadores blenders
    ventiladores fans
    geladeiras fridges
    fogoes stoves
    maquinas_de_costura sewing_machines
    tapetes rugs
    cortinas curtains
    colchoes mattresses
    travesseiros pillows
    quadros_e_molduras pictures_frames
    velas_aromaticas scented_candles
    enfeites_de_natal christmas_ornaments
    artigos_de_aniversario birthday_supplies
    flores_artificiais artificial_flowers
    piscinas_inflaveis inflatable_pools
    barracas_de_acampamento camping_tents
    varas_de_pesca fishing_rods
    bolas_e_redes balls_nets
    roupas_de_praia beachwear
    sapatos_femininos womens_shoes
    sapatos_masculinos mens_shoes
    camisetas_basicas plain_tshirts
    meias_e_pijamas socks_pyjamas
    casacos_de_la woollen_coats
    roupas_de_bebe_2 baby_clothes_2
    oculos_de_sol sunglasses
    cameras_e_tripes cameras_tripods
    fones_de_ouvido headphones
    impressoras_e_tintas printers_inks
    tabletes tablets
    telefones_sem_fio cordless_telephones
    alarmes_e_cadeados alarms_padlocks
    tintas_e_pinceis paints_brushes
    torneiras_e_chuveiros taps_showers
    ferragens_de_construcao building_hardware
    vinhos_e_sucos wines_juices
    chocolates chocolates
    seguro_de_viagem travel_insurance
    """.strip().splitlines()
)
# Used by products, and absent from the translation file.
UNTRANSLATED: Final = ("mesa_gamer", "utensilios_pequenos_de_cozinha_e_lavanderia")

TITLES: Final = (
    "Recomendo",
    "recomendo muito",
    "Ótimo",
    "Muito bom",
    "Excelente",
    "Péssimo",
    "Não chegou",
    "Produto errado",
    "10",
    "Entrega rápida",
    "Gostei",
    "Bom, mas atrasou",
    "Nota 10 👍",
    'Bem "mais ou menos"',
    "Atraso na entrega ",
    "Satisfeita",
)
OPENINGS: Final = (
    "Produto muito bom",
    "Entrega antes do prazo",
    "Chegou tudo certinho",
    "Ainda não recebi o produto",
    "Gostei bastante",
    "Recebi o produto errado",
    "Muito satisfeita com a compra",
    "Veio com defeito",
    "Atrasou uma semana",
    "Ótima qualidade",
    "Comprei dois e chegou um",
    "Produto conforme a descrição",
    "Bem embalado",
    "Estou aguardando uma resposta",
    "A cor não é a da foto",
    "Muito bonito",
    "Tamanho menor do que parece",
    "Funciona bem",
    "Não gostei do acabamento",
    "Preço justo",
)
MIDDLES: Final = (
    "a loja respondeu rápido",
    "o vendedor não responde",
    "a embalagem veio aberta",
    "recomendo a todos",
    "não compro mais nesta loja",
    "com certeza vou comprar de novo",
    "minha mãe adorou o presente",
    "os correios demoraram demais",
    "quero o meu dinheiro de volta",
    "já pedi a troca",
    "parabéns à equipe",
    "superou a minha expectativa",
    "faltou o manual de instruções",
    "usei só uma vez até agora",
    "vou esperar mais alguns dias",
    "só o frete que é caro",
)
ENDINGS: Final = ("", ".", "!", "!!!", "...", " obrigado", " nota dez", " abraço", " aguardo retorno.")
EMOJI: Final = ("😍", "👏👏👏", "😡", "👍🏽", "❤️", "🙏")
QUOTED: Final = ('O "original" não é original: ', 'Diz "couro legítimo", mas: ', '"Novo"? ')
