package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// priced turns kWh into money, by the variable price. A comma in it is a point.
const priced = `|> map(fn: (r) => ({r with _value: r._value * float(v: strings.replaceAll(v: "${price}", t: ",", u: "."))}))`

// monthlyCost turns watts over a span into the money for a month of 730.5 hours.
const monthlyCost = "|> mean()\n  |> map(fn: (r) => ({r with _value: r._value * 730.5 / 1000.0}))\n  " + priced

// power is the dashboard of power, its cost, and UPS.
func power() *page {
	p := &page{uid: "power", title: "Power and UPS", about: "What the chosen devices draw together, what it costs, and the state of each UPS"}
	p.variables = append(p.variables, groupVariables()...)
	metrics := metric("load_percent")
	p.variables = append(p.variables, rooms(metric("power_watts", "load_percent")), devices("device", "Device", metric("power_watts", "current_amperes", "energy_kwh")), devices("ups", "UPS", metrics))
	p.open("The group together")
	for _, panel := range groupPanels() {
		p.add(4, 5, panel)
	}
	p.line()
	p.add(12, 8, every(plot("Power of the group", groupAbout, group("power_watts").flux(), watts()), meterInterval()))
	p.add(12, 8, every(bars("Energy of the group by day", "Days in UTC", energy("").flux(), kilowattHours()), "1d"))
	p.open("Each device")
	p.show("device", 12, 8,
		quantity{title: "Power of each device", fields: metered("power_watts"), draw: plot},
		quantity{title: "Current of each device", fields: metered("current_amperes"), draw: plot},
	)
	p.ups()
	for _, m := range measurements("power", "ups") {
		p.numbers(m)
	}
	return p
}

// groupVariables are the devices that are added up, and what a kWh costs.
func groupVariables() []dashboard.VariableModel {
	query := "select d.name as __text, d.id as __value from hearth.devices d where " + having("^power_watts$") + " order by 1"
	return []dashboard.VariableModel{
		choice("group", "Group", query),
		text("price", "Price of a kWh", "In your currency: house.price_per_kwh of hearth.yml", "0.30"),
	}
}

const groupAbout = "Choose the devices above: the plugs of a rack, or all of the house. A meter of the whole house, or a computed device that is already the sum of others, would count twice. A device that is silent counts with its last value."

// metered returns the fields of a key in all measurements of devices that declare it and
// have roll-ups.
func metered(key string) (out []string) {
	for _, m := range catalogue.All() {
		if _, ok := m.Field(key); ok && m.OfDevices() && m.Keep.Kept().Rolled {
			out = append(out, m.Name+"."+key)
		}
	}
	return out
}

// group returns the sum of a key over the chosen devices.
func group(key string) series {
	s, _ := of(metered(key)...)
	s.whole, s.total, s.where = true, true, chosenIn("group")
	return s
}

// energy returns the kWh of the group in each window.
func energy(then string) series {
	s := group("energy_delta_kwh")
	s.fn, s.then = "sum", then
	return s
}

func watts() catalogue.Field { return titledField("power.power_watts", "Power") }

func kilowattHours() catalogue.Field { return titledField("power.energy_delta_kwh", "Energy") }

// titledField returns a field whose title is the name of its only series.
func titledField(name, title string) catalogue.Field {
	_, f := field(name)
	f.Title = title
	return f
}

func chosenIn(variable string) string {
	return strings.Replace(chosen, "device:", variable+":", 1)
}

// meterInterval is the shortest window in which every meter reports.
func meterInterval() string {
	m, _ := field("power.power_watts")
	return fmt.Sprintf("%dm", int(m.Cadence.Minutes()))
}

// groupPanels are the numbers of the group.
func groupPanels() []dashboard.Panel {
	amps := group("current_amperes")
	_, ampere := field("power.current_amperes")
	mean, cost := group("power_watts"), group("power_watts")
	mean.then = "|> mean()"
	cost.then = monthlyCost
	total := energy("|> sum()")
	paid := energy("|> sum()\n  " + priced)
	kwh := unit("kWh")
	since := func(p dashboard.Panel, from string) dashboard.Panel {
		p.TimeFrom = &from
		return every(p, "5m")
	}
	return []dashboard.Panel{
		every(named(ring("Homelab power", groupAbout, group("power_watts").flux(), watts()), "Power"), meterInterval()),
		every(named(number("Homelab amps", groupAbout, amps.flux(), ampere), "Current"), meterInterval()),
		every(value("Homelab average power", "Over the chosen span", flux(mean.flux()), unit("W"), 0, nil), meterInterval()),
		since(value("Energy today", "Since midnight", flux(total.flux()), kwh, 2, nil), "now/d"),
		since(value("Cost today", "By the price above", flux(paid.flux()), "", 2, nil), "now/d"),
		since(value("Energy this month", "Since the first", flux(total.flux()), kwh, 1, nil), "now/M"),
		since(value("Cost this month", "By the price above", flux(paid.flux()), "", 2, nil), "now/M"),
		every(value("Estimated monthly cost", "If the average power of the chosen span lasts a month, by the price above", flux(cost.flux()), "", 2, nil), meterInterval()),
	}
}

// every sets the shortest window of a panel.
func every(p dashboard.Panel, interval string) dashboard.Panel {
	p.Interval = &interval
	return p
}

// named sets the name of the only series of a panel.
func named(p dashboard.Panel, name string) dashboard.Panel {
	p.FieldConfig.Defaults.DisplayName = &name
	return p
}

// ups adds the state of each UPS.
func (p *page) ups() {
	p.open("UPS")
	p.show("ups", 4, 6,
		quantity{title: "Total power capacity", about: "What the UPS can deliver", fields: []string{"ups.nominal_power_watts"}, draw: number},
		quantity{title: "Input and battery voltage", about: "And the other voltages of the UPS", fields: []string{"ups.voltage_volts"}, draw: number},
		quantity{title: "UPS run time", about: "How long the battery lasts with this load", fields: []string{"ups.runtime_seconds"}, draw: number},
		quantity{title: "Battery level", fields: []string{"ups.battery_percent"}, draw: ring},
		quantity{title: "UPS load", fields: []string{"ups.load_percent"}, draw: ring},
		quantity{title: "UPS power", fields: []string{"ups.power_watts"}, draw: number},
	)
	p.show("ups", 12, 8,
		quantity{title: "UPS load, course", fields: []string{"ups.load_percent"}, draw: plot},
		quantity{title: "Battery level, course", fields: []string{"ups.battery_percent"}, draw: plot},
	)
	s, f := of("ups.on_battery", "ups.low_battery", "ups.replace_battery", "ups.overload")
	s.fn, s.where = "last", chosenIn("ups")
	p.add(24, 6, states("UPS states", "", s.flux(), f))
}
