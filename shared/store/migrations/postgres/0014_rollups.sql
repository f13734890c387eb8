-- serves: 14
-- How far the readings of a measurement are rolled up, and from when on they are kept.
create table rolled (
    name         text primary key, -- measurement
    created      timestamptz not null, -- when its first roll-ups were made
    since        timestamptz not null, -- the hour of its first reading
    upto         timestamptz not null, -- every hour from since to upto is rolled up, except dirty ones
    raw_expired  timestamptz not null, -- readings before it are not read any more
    raw_deleted  timestamptz not null, -- readings before it are deleted
    fine_expired timestamptz not null, -- the same of the roll-ups of 5 minutes
    fine_deleted timestamptz not null
);

-- Hours before rolled.upto in which readings were written since they were rolled up.
create table dirty_hours (
    name    text not null,
    hour    timestamptz not null,
    claimed text not null default '', -- who rolls it up; '': a reading was written since
    primary key (name, hour)
);

-- Values that came when they were nearly too old to be kept, or older. They are only rolled
-- up, and kept some days so that a value that comes twice counts once.
create table late_values (
    name    text not null,
    series  text not null, -- measurement and tags as in line protocol
    tags    text not null, -- an object of strings
    field   text not null,
    time    bigint not null, -- nanoseconds since 1970 in UTC
    value   double precision not null,
    suspect boolean not null,
    arrived timestamptz not null,
    primary key (series, field, time)
);
create index late_values_by_hour on late_values (name, time);
create index late_values_by_arrival on late_values (arrived);

-- How often late values of an hour were deleted. Their roll-ups stay; those of later ones
-- are written beside them.
create table late_hours (
    name text not null,
    hour timestamptz not null,
    part integer not null, -- 1: once
    primary key (name, hour)
);
