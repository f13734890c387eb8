-- A timestamp is an integer: microseconds since 1970 in UTC.
create table leases (
    name    text primary key,
    owner   text not null,
    fence   integer not null, -- increases with every holder
    expires timestamp      -- null: free
);

create table runs (
    id          text primary key,
    function    text not null,
    started_by  text not null, -- cron, http or backfill
    window_from timestamp,
    window_to   timestamp,
    started     timestamp not null,
    took_us     integer not null,
    status      text not null, -- running, ok, partial, failed, died
    stored      integer not null,
    unchanged   integer not null,
    error       text not null,
    outcomes    text not null, -- an array with an object for each target
    sample      boolean not null,
    fence       integer not null
);
create index runs_by_function on runs (function, started desc);
create index runs_by_start on runs (started desc);

create table targets (
    function text not null,
    target   text not null,
    failing  timestamp, -- since when every run has failed for it; null: the last run succeeded
    told     boolean not null,
    reason   text not null,
    last_ok  timestamp,
    primary key (function, target)
);

create table quotas (
    key            text not null,
    window_start   timestamp not null,
    used           integer not null,
    used_scheduled integer not null, -- the part of used that scheduled runs called
    primary key (key, window_start)
);

create table outbox (
    key     text primary key,
    channel text not null,
    text    text not null,
    created timestamp not null,
    due     timestamp not null,
    tries   integer not null,
    reason  text not null, -- of the last failed try
    sent    timestamp
);
create index outbox_due on outbox (due) where sent is null;
create index outbox_sent on outbox (sent) where sent is not null;
