create table leases (
    name    text primary key,
    owner   text not null,
    fence   bigint not null, -- increases with every holder
    expires timestamptz      -- null: free
);

create table runs (
    id          text primary key,
    function    text not null,
    started_by  text not null, -- cron, http or backfill
    window_from timestamptz,
    window_to   timestamptz,
    started     timestamptz not null,
    took_us     bigint not null,
    status      text not null, -- running, ok, partial, failed, died
    stored      bigint not null,
    unchanged   bigint not null,
    error       text not null,
    outcomes    jsonb not null, -- an array with an object for each target
    sample      boolean not null,
    fence       bigint not null
);
create index runs_by_function on runs (function, started desc);
create index runs_by_start on runs (started desc);

create table targets (
    function text not null,
    target   text not null,
    failing  timestamptz, -- since when every run has failed for it; null: the last run succeeded
    told     boolean not null,
    reason   text not null,
    last_ok  timestamptz,
    primary key (function, target)
);

create table quotas (
    key            text not null,
    window_start   timestamptz not null,
    used           bigint not null,
    used_scheduled bigint not null, -- the part of used that scheduled runs called
    primary key (key, window_start)
);

create table outbox (
    key     text primary key,
    channel text not null,
    text    text not null,
    created timestamptz not null,
    due     timestamptz not null,
    tries   bigint not null,
    reason  text not null, -- of the last failed try
    sent    timestamptz
);
create index outbox_due on outbox (due) where sent is null;
create index outbox_sent on outbox (sent) where sent is not null;
