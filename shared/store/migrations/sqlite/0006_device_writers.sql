-- Which process of a function has claimed the device states. It caches the values from
-- which rates of change and counters are computed. Another process must read them again.
create table device_writers (
    function text primary key,
    writer   text not null -- a random id of the process
);
