-- The tables of the FastAPI service beside the dataset's own: tokens by their SHA-256, and rejects.
create table if not exists fastapi_tokens (digest bytea primary key, owner text not null);
create table if not exists fastapi_rejects (
    id bigint generated always as identity primary key,
    at timestamp with time zone not null default now(),
    owner text not null,
    table_name text not null,
    position integer not null,
    record jsonb not null,
    errors jsonb not null
);
