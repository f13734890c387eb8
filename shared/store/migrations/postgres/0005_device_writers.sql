-- Which process of a function wrote last what devices say. What steps and
-- counters are measured from is in its memory: another one must read it anew.
create table device_writers (
    function text primary key,
    writer   text not null -- random, one a process
);
