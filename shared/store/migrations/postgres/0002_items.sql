create table items (
    source     text not null,
    target     text not null,
    id         text not null,
    title      text not null,
    url        text not null,
    at         timestamptz,    -- the source's clock
    attributes jsonb not null, -- an object of strings
    sample     boolean not null,
    seen       timestamptz not null, -- when hearth first saw it
    closed     timestamptz,          -- null: open
    primary key (source, target, id)
);
create index items_open on items (source, target) where closed is null;
create index items_newest on items (at desc) where closed is null;

-- tasks is for a table panel: the open tasks, with their age and idle days.
create view tasks as
select target, id, title, url, at, sample, attributes, seen,
    extract(epoch from now() - at)::float8 / 86400 as age_days,
    extract(epoch from now() - case
        when attributes ->> 'modified_at' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$'
        then (attributes ->> 'modified_at')::timestamptz end)::float8 / 86400 as idle_days
from items
where source = 'asana' and closed is null;
