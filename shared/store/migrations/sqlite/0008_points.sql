-- serves: 8
-- One typed row for each value, instead of a JSON row for each reading. Open moves the
-- rows of the table readings batch by batch, and then drops that table.
create table fields (
    id      integer primary key,
    series  integer not null references series (id),
    name    text not null,
    is_text boolean not null,
    unique (series, name, is_text)
);

create table points (
    field integer not null,
    time  integer not null, -- nanoseconds since 1970 in UTC
    value real not null,
    primary key (field, time)
) without rowid;

create table texts (
    field integer not null,
    time  integer not null, -- nanoseconds since 1970 in UTC
    value text not null,
    primary key (field, time)
) without rowid;
