create table series (
    id   integer primary key,
    name text not null,
    key  text not null unique, -- measurement and tags as in line protocol
    tags text not null         -- an object of strings
);
create index series_by_name on series (name);

create table readings (
    series integer not null references series (id),
    time   integer not null, -- nanoseconds since 1970 in UTC
    fields text not null,    -- an object of numbers
    texts  text not null,    -- an object of strings
    primary key (series, time)
) without rowid;
