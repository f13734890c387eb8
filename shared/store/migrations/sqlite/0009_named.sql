-- serves: 8
-- The names in hearth.yml when it was last applied. A process compares them with the
-- file, and undoes settings that were removed even while it was not running.
create table named (
    section text primary key, -- devices: ids; mappings: a hash of each
    names   text not null     -- a list in JSON
);
