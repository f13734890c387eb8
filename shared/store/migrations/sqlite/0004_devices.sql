create table devices (
    id          text primary key, -- the tag device of its readings; it never changes
    kind        text not null,    -- edge, node, zigbee, bridge, group, mapped
    name        text not null,    -- shown to users
    room        text not null,
    replaced_by text not null,    -- '' or the device that took its place
    maintenance timestamp,      -- no alert is sent for the device until then
    seen        timestamp not null -- when hearth first saw it
);

-- The physical ids of a device over time. A replaced plug keeps its device.
create table device_ids (
    physical text not null, -- ieee address, name at the edge, topic
    since    timestamp not null,
    until    timestamp,   -- null: still bound
    device   text not null references devices (id),
    name     text not null, -- from the device's source
    about    text not null, -- description from the device's source: model, metrics with unit and range
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
    changed   timestamp not null, -- since when it has this value: the reading's time, or its arrival if it has none
    quality   text not null,        -- ok, warming_up, suspect, clock_unsynced
    reason    text not null,
    retained  boolean not null,
    good      real,     -- the last value of quality ok; the rate of change is computed from it
    good_time timestamp,
    primary key (device, metric)
);

create table edge_seqs (
    node    text not null,
    boot    text not null,
    started timestamp not null, -- when hearth first saw the boot
    seen    timestamp not null, -- last
    upto    integer not null,      -- every number from 1 to upto is stored or lost
    highest integer not null,
    first   boolean not null,     -- the first boot that hearth has seen of the node: it may have begun before
    missing integer not null,      -- how many numbers are lost
    holes   text not null,       -- numbers that may still come: [from, to, unix seconds when noticed]
    lost    text not null,       -- lost numbers, as holes; removed when they come after all
    primary key (node, boot)
);

-- When a reading without a time of its own first arrived. Sent again, it keeps that time.
create table edge_arrivals (
    node  text not null,
    boot  text not null,
    seq   integer not null,
    nanos integer not null, -- since 1970 in UTC
    primary key (node, boot, seq)
);
create index edge_arrivals_by_time on edge_arrivals (nanos);

-- Copies of the connectors' dead letters.
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
    told       timestamp not null, -- when the connector's last report of it arrived
    gone       boolean not null,     -- replayed or dropped
    primary key (id, function)
);
create index dead_letters_open on dead_letters (last_time desc) where not gone;
