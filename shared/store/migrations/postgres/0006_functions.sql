-- serves: 6
-- From here on: the oldest program that the schema still serves, by the number
-- of migrations that it knows. Null: only programs that know this one.
alter table schema_version add column serves integer;

-- What runs here, as each function says of itself.
create table functions (
    name           text primary key,
    schedule       text not null,   -- cron expression; '': not by the clock
    period_seconds bigint not null, -- between two runs; 0: not by the clock
    version        text not null,
    configured     boolean not null, -- false: its key is missing
    last_seen      timestamptz not null
);

-- What a person asks of a connector on the page.
create table dead_requests (
    id        text primary key,
    function  text not null, -- whose dead letters; '': of all
    action    text not null, -- replay or drop
    letter    text not null, -- id of one; '': all that match
    topic     text not null, -- MQTT filter; '': any
    cause     text not null, -- the whole reason; '': any
    requested timestamptz not null,
    handed    timestamptz, -- last to a connector
    times     bigint not null default 0 -- handed
);
create index dead_requests_by_time on dead_requests (requested);

-- What a button sets. hearth.yml may name a later end: the later one counts.
create table until_dates (
    kind    text not null, -- silence, acknowledge, maintenance
    subject text not null, -- key of an alert, id of a device
    until   timestamptz not null,
    set_at  timestamptz not null,
    primary key (kind, subject)
);
create index until_dates_by_end on until_dates (until);
