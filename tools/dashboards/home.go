package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// home is the dashboard to glance at, in place of the telephone.
func home() *page {
	p := &page{uid: "home", title: "Home", about: "The house and the world at a glance"}
	metrics := metric("temperature_celsius", "humidity_percent", "co2_ppm", "pm2_5_ugm3", "pm25_ugm3", "pm10_ugm3")
	p.variables = append([]dashboard.VariableModel{rooms(metrics), devices("device", "Device", metrics), labels("symbol", "Symbol", "stock_quote")}, groupVariables()...)
	p.open("At a glance")
	p.add(7, 8, tasks())
	p.add(6, 8, products())
	p.add(6, 8, bills())
	p.add(5, 4, billRates())
	for _, panel := range groupPanels()[:3] {
		p.add(4, 5, panel)
	}
	p.add(4, 5, groupPanels()[4])
	p.add(4, 5, alertCount())
	p.open("Stocks and funds")
	p.add(8, 5, repeated(stock(), "symbol"))
	p.open("Rooms")
	p.show("device", 8, 6, climateNow[:5]...)
	p.add(8, 6, doors())
	p.open("Outdoors")
	p.show("", 4, 5, outdoors...)
	p.open("To read")
	p.add(12, 9, news())
	p.add(12, 9, alertTable())
	return p
}

// doors says which doors and windows are open now.
func doors() dashboard.Panel {
	_, f := field("zigbee.contact")
	p := rows("Doors and windows", "As they are now, by Zigbee contacts", sql(`select coalesce(nullif(d.name, ''), d.id) as "Door or window", d.room as "Room", s.value as "State", `+ago("s.changed")+` as "For"
from hearth.device_states s join hearth.devices d on d.id = s.device
where s.metric = 'contact' and d.replaced_by = ''
order by s.value, s.changed desc`), column{"State", []dashboard.DynamicConfigValue{{Id: "mappings", Value: words(f)}}}, as("For", "s"))
	return p
}
