-- serves: 14
-- The causes of the dead letters are counted once a minute, without reading the samples. A
-- reason may be longer than an index allows.
create index dead_letters_by_cause on dead_letters (function, substr(reason, 1, 200)) where not gone;
