package main

import "github.com/hearth-home/hearth/shared/catalogue"

// system is the dashboard of devices and pipelines: hearth itself. It also has all
// numbers of the measurements that have no place elsewhere.
func system(rest []catalogue.Measurement) *page {
	p := &page{uid: "system", title: "Devices and pipelines", about: "Which devices report, which pipelines ran, what failed"}
	p.variables = append(p.variables, rooms("."), devices("device", "Device", "."))
	p.open("Alerts and pipelines")
	p.add(4, 5, alertCount())
	p.add(4, 5, value("Overdue pipelines", "Functions whose run is overdue", sql("select count(*) as \"Overdue\"\nfrom ("+pipelines+") p\nwhere overdue > 0"), "", 0, new(1.0)))
	p.add(4, 5, value("Failed runs of a day", "", sql("select count(*) as \"Failed\"\nfrom hearth.runs\nwhere started > now() - interval '1 day' and status in ('failed', 'died')"), "", 0, new(1.0)))
	p.add(4, 5, value("Dead letters", "Messages that no function could store", sql("select coalesce(sum(count), 0)::float8 as \"Dead letters\"\nfrom hearth.dead_letters\nwhere not gone"), "", 0, new(1.0)))
	p.add(4, 5, value("Silent devices", "No value for a day", sql("select count(*) as \"Silent\"\nfrom hearth.devices d\nwhere d.replaced_by = '' and d.kind <> 'group' and (select max(s.arrived) from hearth.device_states s where s.device = d.id) < now() - interval '1 day'"), "", 0, new(1.0)))
	p.show("", 4, 5, quantity{title: "Latency", about: "From publishing at the connector to the store: the canary", fields: []string{"canary.latency_seconds"}, draw: number})
	p.add(24, 8, alertTable())
	p.add(12, 9, rows("Pipelines", "Overdue: by how much the newest run is later than the schedule and its grace time", sql(`select name as "Function", status as "Last run", age as "Ended before", stored as "Stored", schedule as "Schedule (UTC)", greatest(overdue, 0) as "Overdue", error as "Error"
from (`+pipelines+`) p
order by overdue desc`), as("Ended before", "s"), marked(as("Overdue", "s"), 1)))
	p.add(12, 9, rows("Runs", "The newest 200", sql(`select started as "Started", function as "Function", started_by as "By", status as "Status", took_us / 1e6 as "Took", stored as "Stored", unchanged as "Unchanged", error as "Error"
from hearth.runs
order by started desc
limit 200`), as("Took", "s")))
	p.devices()
	p.open("Messages and storage")
	p.show("", 12, 8, quantity{title: "Latency, course", fields: []string{"canary.latency_seconds"}, draw: plot})
	p.add(12, 8, rows("Dead letters", "hearth dead shows and replays them", sql(`select last_time as "Last", function as "Function", topic as "Topic", reason as "Reason", count as "Count", size as "Bytes"
from hearth.dead_letters
where not gone
order by last_time desc
limit 200`), as("Bytes", "decbytes")))
	p.add(12, 8, rows("Numbered readings of the edge agents", "Missing: lost on the way", sql(`select node as "Node", boot as "Boot", highest as "Sent", missing as "Missing", seen as "Last"
from hearth.edge_seqs
order by seen desc
limit 100`), marked(column{name: "Missing"}, 1)))
	p.add(12, 8, rows("Roll-ups", "How far each measurement is rolled up, and how many hours wait", sql(`select r.name as "Measurement", r.since as "From", r.upto as "Up to", count(h.hour) as "Hours that wait", r.raw_expired as "Readings from"
from hearth.rolled r left join hearth.dirty_hours h on h.name = r.name
group by r.name
order by r.name`)))
	for _, m := range rest {
		p.numbers(m)
	}
	return p
}

// pipelines asks for each function with a schedule for its newest finished run, and by
// how many seconds the next one is overdue. A run may be late by a quarter of its period,
// at least 5 minutes and at most an hour, as for hearth's own alert.
const pipelines = `select f.name, f.schedule, r.status, coalesce(r.stored, 0) as stored, coalesce(r.error, '') as error, extract(epoch from now() - r.started)::float8 as age,
  extract(epoch from now() - coalesce(r.started, f.last_seen))::float8 - f.period_seconds - least(greatest(f.period_seconds / 4, 300), 3600) as overdue
from hearth.functions f left join lateral (
  select * from hearth.runs where function = f.name and status <> 'running' and started_by <> 'backfill' order by started desc limit 1
) r on true
where f.period_seconds > 0 and f.configured`

// devices adds the register: every device with its room and when it was last heard.
func (p *page) devices() {
	p.open("Devices")
	p.add(14, 10, rows("Devices", "Of the chosen rooms", sql(`select d.name as "Device", d.room as "Room", d.kind as "Kind", `+ago("max(s.arrived)")+` as "Last value", count(s.metric) as "Metrics",
  max(s.value) filter (where s.metric ~ '(^|_)battery_percent$') as "Battery", max(s.value) filter (where s.metric = 'linkquality') as "Link", d.id as "Id"
from hearth.devices d left join hearth.device_states s on s.device = d.id
where d.replaced_by = '' and d.kind <> 'group' and `+roomOf+` in (${room:sqlstring})
group by d.id
order by max(s.arrived)`), marked(as("Last value", "s"), 86400), as("Battery", "percent")))
	p.add(10, 10, rows("Values now", "The latest value of each metric of the chosen devices", sql(`select d.name as "Device", s.metric as "Metric", coalesce(round(s.value::numeric, 3)::text, s.text) as "Value", `+ago("s.arrived")+` as "Age", s.quality as "Quality"
from hearth.device_states s join hearth.devices d on d.id = s.device
where d.id in (${device:sqlstring})
order by d.name, s.metric
limit 1000`), as("Age", "s")))
	p.show("device", 12, 8,
		quantity{title: "Batteries", fields: []string{"zigbee.battery_percent"}, draw: levels},
		quantity{title: "Zigbee links", about: "0 to 255", fields: []string{"zigbee.linkquality"}, draw: plot},
	)
}
