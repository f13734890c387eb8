-- serves: 7
-- Of a counter, what its next rise depends on beside the last good value: the value that
-- it had before a reset, and what was counted since. A JSON object; '': nothing.
alter table device_states add column counter text not null default '';
