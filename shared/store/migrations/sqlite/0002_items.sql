create table items (
    source     text not null,
    target     text not null,
    id         text not null,
    title      text not null,
    url        text not null,
    at         timestamp,     -- the source's clock
    attributes text not null, -- an object of strings
    sample     boolean not null,
    seen       timestamp not null, -- when hearth first saw it
    closed     timestamp,          -- null: open
    primary key (source, target, id)
);
create index items_open on items (source, target) where closed is null;
create index items_newest on items (at desc) where closed is null;

-- tasks is for a table panel: the open tasks, with their age and idle days.
create view tasks as
select target, id, title, url, at, sample, attributes, seen,
    julianday('now') - julianday(at / 1e6, 'unixepoch') as age_days,
    julianday('now') - julianday(attributes ->> 'modified_at') as idle_days
from items
where source = 'asana' and closed is null;
