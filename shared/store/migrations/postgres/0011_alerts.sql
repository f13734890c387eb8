-- serves: 11
-- The alerts that are open, or were in the last days: what is known of each and what a
-- person was told.
create table alerts (
    key     text primary key, -- rule and subject: air-co2-high/office-air/co2_ppm
    version bigint not null,  -- counts the writes
    active  boolean not null, -- it is open or pending, or its end is not told yet
    updated timestamptz not null,
    state   text not null -- JSON
);
create index alerts_active on alerts (key) where active;
create index alerts_over on alerts (updated) where not active;

-- The messages about an alert in a channel of Slack: its end edits the one that said
-- that it fires.
create table alert_posts (
    key         text not null, -- of the alert
    episode     bigint not null,
    destination text not null,
    channel     text not null, -- Slack's id
    ts          text not null, -- Slack's id of the message
    posted      timestamptz not null,
    primary key (key, episode, destination)
);
create index alert_posts_by_message on alert_posts (channel, ts);
create index alert_posts_by_time on alert_posts (posted);

alter table outbox add column destination text not null default 'slack'; -- slack, ntfy, webhook; page: it never leaves the machine
alter table outbox add column what text not null default 'news';
alter table outbox add column grp text not null default ''; -- unsent messages of a group are sent as one
alter table outbox add column alert text; -- the alert as it was; null: text is all
alter table outbox add column sample boolean not null default false;
alter table outbox add column attempted timestamptz; -- when sending it began, and it is not known how that ended
alter table outbox add column step bigint not null default 0; -- the steps of its delivery that are done
update outbox set channel = 'pipelines' where channel = 'failures';
update outbox set channel = 'products' where channel = 'news';

-- How often each metric of a device reports, learned: a metric that is silent for much
-- longer has stopped.
create table cadences (
    device  text not null,
    metric  text not null,
    gaps    text not null, -- the last 50 times between two reports, in seconds
    updated timestamptz not null,
    primary key (device, metric)
);

-- The failures that were told fire: there is one message when each ends, and none that it fires.
insert into alerts (key, version, active, updated, state)
select 'source-failing/' || function || '/' || target, 1, true, now(), jsonb_build_object(
    'key', 'source-failing/' || function || '/' || target, 'rule', 'source-failing', 'channel', 'pipelines', 'severity', 'warning',
    'title', 'A source is failing', 'function', function, 'target', target, 'phase', 'firing', 'text', reason,
    'since', to_char(failing at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'fired', to_char(failing at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'seen', to_char(failing at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'told_at', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'causes', to_jsonb(string_to_array(nullif(causes, ''), ' ')),
    'episode', 1, 'notices', 1, 'told', 'firing', 'remind', 86400000000000)::text
from targets where told and failing is not null;
update targets set told = false;
