-- serves: 9
-- The topic, up to its second level, on which a device was first published; for a Zigbee
-- device the base topic of Zigbee2MQTT. '': unknown, or the user named the device. It
-- limits how many devices one publisher can register.
alter table devices add column publisher text not null default '';

update devices set publisher = coalesce((
    select case when i.physical like 'topic/%' then substr(i.physical, 7, instr(substr(i.physical, 7) || '/', '/') - 1) else i.about ->> 'base' end
    from device_ids i where i.device = devices.id order by i.since, i.physical limit 1), '');
