create table devices (
    id          text primary key, -- the tag on its readings, for ever
    kind        text not null,    -- edge, node, zigbee, bridge, group, mapped
    name        text not null,    -- for people
    room        text not null,
    replaced_by text not null,    -- '' or the device that took its place
    maintenance timestamp,      -- until then nothing is told of it
    seen        timestamp not null -- first by hearth
);

-- What a device has been: the plug on the shelf last year, another one now.
create table device_ids (
    physical text not null, -- ieee address, name at the edge, topic
    since    timestamp not null,
    until    timestamp,   -- null: still
    device   text not null references devices (id),
    name     text not null, -- what its source calls it
    about    text not null, -- what its source says: model, metrics with unit and range
    primary key (physical, since)
);
create unique index device_ids_now on device_ids (physical) where until is null;
create index device_ids_of on device_ids (device);

create table device_states (
    device    text not null,
    metric    text not null,
    value     real,     -- null: text
    text      text not null,
    time      timestamp,          -- the source's clock; null: unknown
    arrived   timestamp not null,
    changed   timestamp not null, -- since when it has this value, by hearth's count
    quality   text not null,        -- ok, warming_up, suspect, clock_unsynced
    reason    text not null,
    retained  boolean not null,
    good      real,     -- the last value of quality ok: what steps are measured from
    good_time timestamp,
    primary key (device, metric)
);

create table edge_seqs (
    node    text not null,
    boot    text not null,
    started timestamp not null, -- first seen
    seen    timestamp not null, -- last
    upto    integer not null,      -- all of 1 to upto is stored or given up
    highest integer not null,
    first   boolean not null,     -- of the node's boots: hearth may be younger than it
    missing integer not null,      -- given up
    holes   text not null,       -- [from, to, unix seconds when noticed]
    lost    text not null,       -- [from, to], given up, and taken back when they come
    primary key (node, boot)
);

-- When a reading without a clock arrived first: sent again, it is the same.
create table edge_arrivals (
    node  text not null,
    boot  text not null,
    seq   integer not null,
    nanos integer not null, -- since 1970 in UTC
    primary key (node, boot, seq)
);
create index edge_arrivals_by_time on edge_arrivals (nanos);

-- The mirror of the connectors' dead letters.
create table dead_letters (
    id         text not null,
    function   text not null,
    topic      text not null,
    reason     text not null,
    first_time timestamp not null,
    last_time  timestamp not null,
    count      integer not null,
    size       integer not null,
    sample     blob not null, -- its first 4 KiB
    told       timestamp not null, -- arrival of the news
    gone       boolean not null,     -- replayed or dropped
    primary key (id, function)
);
create index dead_letters_open on dead_letters (last_time desc) where not gone;
