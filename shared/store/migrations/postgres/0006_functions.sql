-- serves: 6
-- The oldest program that works with this migration, by the number of migrations that it
-- knows. Null: only programs that know this migration.
alter table schema_version add column serves integer;

-- Descriptions that the functions give of themselves.
create table functions (
    name           text primary key,
    schedule       text not null,   -- cron expression; '': not scheduled
    period_seconds bigint not null, -- between two runs; 0: not scheduled
    version        text not null,
    configured     boolean not null, -- false: its key is missing
    last_seen      timestamptz not null
);

-- A user's requests to a connector, made on the page.
create table dead_requests (
    id        text primary key,
    function  text not null, -- whose dead letters; '': any
    action    text not null, -- replay or drop
    letter    text not null, -- id of a dead letter; '': any
    topic     text not null, -- MQTT filter; '': any
    cause     text not null, -- the whole reason; '': any
    requested timestamptz not null,
    handed    timestamptz, -- when last returned to a connector
    times     bigint not null default 0 -- how often returned
);
create index dead_requests_by_time on dead_requests (requested);

-- Ends that users set by buttons. If hearth.yml has one too, the later end applies.
create table until_dates (
    kind    text not null, -- silence, acknowledge, maintenance
    subject text not null, -- key of an alert, id of a device
    until   timestamptz not null,
    set_at  timestamptz not null,
    primary key (kind, subject)
);
create index until_dates_by_end on until_dates (until);
