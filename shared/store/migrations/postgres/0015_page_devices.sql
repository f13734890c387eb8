-- serves: 14
-- What a person said on the page about a new device or topic. hearth.yml wins over it.
create table page_devices (
    device  text not null, -- id; '': it is about a topic
    topic   text not null,
    name    text not null,
    room    text not null, -- a device without name and room is to stay as it is
    mapping text not null, -- of the topic, as in the section devices of hearth.yml; '': its messages are to stay unmapped
    since   timestamptz not null,
    primary key (device, topic)
);
