-- serves: 6
-- What hearth.yml named when it was last acted on. What is no longer there is
-- taken back, also by a process that did not see it go.
create table named (
    section text primary key, -- devices: ids; mappings: a hash of each
    names   text not null     -- a list in JSON
);
