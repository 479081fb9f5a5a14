"""Brazil's 27 federal units as common knowledge has them: zip prefixes, a point, cities, share of the customers."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class FederalUnit:
    """A federal unit: its first and last zip prefix, share of the customers, centre in degrees, cities (NFC)."""

    code: str
    first_zip: int
    last_zip: int
    share: float
    lat: float
    lng: float
    cities: tuple[str, ...]


STATES: Final = (
    FederalUnit("AC", 69900, 69999, 0.001, -9.0, -70.5, ("rio branco", "cruzeiro do sul", "sena madureira")),
    FederalUnit("AL", 57000, 57999, 0.004, -9.6, -36.6, ("maceió", "arapiraca", "penedo")),
    FederalUnit("AM", 69000, 69299, 0.002, -3.4, -60.6, ("manaus", "parintins", "itacoatiara")),
    FederalUnit("AP", 68900, 68999, 0.001, 0.4, -51.1, ("macapá", "santana", "laranjal do jari")),
    FederalUnit("BA", 40000, 48999, 0.034, -12.6, -39.6, ("salvador", "feira de santana", "dias d'ávila", "ilhéus")),
    FederalUnit("CE", 60000, 63999, 0.013, -4.4, -39.0, ("fortaleza", "juazeiro do norte", "sobral", "maracanaú")),
    FederalUnit("DF", 70000, 72799, 0.022, -15.8, -47.9, ("brasília", "taguatinga", "ceilândia", "gama")),
    FederalUnit("ES", 29000, 29999, 0.020, -20.2, -40.4, ("vitória", "vila velha", "serra", "cariacica", "guarapari")),
    FederalUnit("GO", 72800, 76799, 0.020, -16.4, -49.3, ("goiânia", "anápolis", "são joão d'aliança", "rio verde")),
    FederalUnit("MA", 65000, 65999, 0.008, -3.9, -44.9, ("são luís", "imperatriz", "caxias", "timon")),
    FederalUnit(
        "MG",
        30000,
        39999,
        0.117,
        -19.6,
        -44.4,
        ("belo horizonte", "uberlândia", "juiz de fora", "contagem", "olhos-d'água", "governador valadares"),
    ),
    FederalUnit("MS", 79000, 79999, 0.007, -21.0, -54.6, ("campo grande", "dourados", "três lagoas", "corumbá")),
    FederalUnit("MT", 78000, 78899, 0.009, -14.6, -55.8, ("cuiabá", "várzea grande", "mirassol d'oeste", "sinop")),
    FederalUnit("PA", 66000, 68899, 0.010, -2.6, -49.6, ("belém", "ananindeua", "santarém", "marabá")),
    FederalUnit("PB", 58000, 58999, 0.005, -7.1, -35.6, ("joão pessoa", "campina grande", "patos")),
    FederalUnit(
        "PE", 50000, 56999, 0.017, -8.2, -35.6, ("recife", "olinda", "caruaru", "petrolina", "jaboatão dos guararapes")
    ),
    FederalUnit("PI", 64000, 64999, 0.005, -5.6, -42.6, ("teresina", "parnaíba", "picos")),
    FederalUnit(
        "PR", 80000, 87999, 0.051, -24.6, -51.0, ("curitiba", "londrina", "maringá", "itapejara d'oeste", "cascavel")
    ),
    FederalUnit(
        "RJ",
        20000,
        28999,
        0.129,
        -22.8,
        -43.1,
        ("rio de janeiro", "niterói", "são gonçalo", "nova iguaçu", "duque de caxias", "petrópolis"),
    ),
    FederalUnit("RN", 59000, 59999, 0.005, -5.8, -35.6, ("natal", "mossoró", "parnamirim")),
    FederalUnit("RO", 76800, 76999, 0.003, -10.4, -62.6, ("porto velho", "ji-paraná", "alta floresta d'oeste")),
    FederalUnit("RR", 69300, 69399, 0.001, 2.6, -60.7, ("boa vista", "caracaraí")),
    FederalUnit(
        "RS", 90000, 99999, 0.055, -29.8, -52.0, ("porto alegre", "caxias do sul", "pelotas", "canoas", "não-me-toque")
    ),
    FederalUnit("SC", 88000, 89999, 0.037, -27.1, -49.6, ("florianópolis", "joinville", "blumenau", "herval d'oeste")),
    FederalUnit("SE", 49000, 49999, 0.004, -10.6, -37.2, ("aracaju", "lagarto", "itabaiana")),
    FederalUnit(
        "SP",
        1000,
        19999,
        0.420,
        -22.9,
        -47.4,
        (
            "são paulo",
            "campinas",
            "guarulhos",
            "são bernardo do campo",
            "santos",
            "ribeirão preto",
            "são josé dos campos",
            "santa bárbara d'oeste",
            "mogi-guaçu",
        ),
    ),
    FederalUnit("TO", 77000, 77999, 0.003, -9.6, -48.4, ("palmas", "araguaína", "gurupi")),
)
# Spellings that sellers have typed into the field for the city.
ODD_SELLER_CITIES: Final = (
    "05021987",
    "caxias do sul, rio grande do sul, brasil",
    "campinas / sp",
    "são paulo - sp",
    "arraial da ajuda (porto seguro)",
)
# Latitude and longitude (degrees) of points that somebody's geocoder found elsewhere.
POINTS_ABROAD: Final = ((38.7, -9.1), (45.1, 9.2), (14.6, 121.1), (29.0, -101.5), (-36.6, -64.3), (41.2, -8.6))
