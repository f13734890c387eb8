package main

import "strings"

// show adds panels of quantities of the devices in a variable.
func (p *page) show(variable string, width, height uint32, qs ...quantity) {
	for _, q := range qs {
		s, f := of(q.fields...)
		if s.of[0].OfDevices() {
			s.where = chosenIn(variable)
		}
		s.fn = q.fn
		if q.where != "" {
			s.where = strings.TrimPrefix(s.where+" and "+q.where, " and ")
		}
		p.add(width, height, q.draw(q.title, q.about, s.flux(), f))
	}
}

// computers is the dashboard of computers.
func computers() *page {
	p := &page{uid: "computers", title: "Computers", about: "Processors, memory, temperatures, disks and power of the nodes, boards and PCs"}
	metrics := metric("cpu_usage_percent", "memory_used_bytes", "temperature_celsius", "load_1m", "usage_percent", "fan_rpm")
	p.variables = append(p.variables, rooms(metrics), devices("device", "Computer", metrics), devices("plug", "Plug", metric("power_watts")), text("price", "Price of a kWh", "In your currency: house.price_per_kwh of hearth.yml", "0.30"))
	p.open("Now")
	p.show("device", 8, 8,
		quantity{title: "CPU use", fields: []string{"host.cpu_usage_percent"}, draw: levels},
		quantity{title: "RAM used", fields: []string{"host.memory_used_bytes"}, draw: number},
		quantity{title: "CPU temperature", about: "Of the processor, the SoC or the package", fields: []string{"host.temperature_celsius"}, draw: number, where: processor},
	)
	p.open("Course")
	p.show("device", 12, 8,
		quantity{title: "CPU use, course", fields: []string{"host.cpu_usage_percent"}, draw: plot},
		quantity{title: "CPU temperature, course", fields: []string{"host.temperature_celsius"}, draw: plot, where: processor},
		quantity{title: "Temperatures of SoC, NVMe, GPU and NPU", about: "And of all other parts", fields: []string{"host.temperature_celsius"}, draw: plot},
		quantity{title: "RAM used, course", fields: []string{"host.memory_used_bytes"}, draw: plot},
		quantity{title: "Load", fields: []string{"host.load_1m"}, draw: plot},
		quantity{title: "Disk free", fields: []string{"host.disk_free_bytes"}, draw: plot},
		quantity{title: "Use of GPU and NPU", fields: []string{"host.usage_percent"}, draw: plot},
		quantity{title: "Undervoltage", fields: []string{"host.undervoltage"}, draw: states, fn: "last"},
	)
	p.open("Power")
	p.show("plug", 8, 8,
		quantity{title: "Current power", about: "Of the plugs and computers that are chosen", fields: metered("power_watts"), draw: number},
		quantity{title: "Power, course", fields: metered("power_watts"), draw: plot},
	)
	mean, _ := of(metered("power_watts")...)
	mean.where, mean.whole, mean.total, mean.then = chosenIn("plug"), true, true, "|> mean()"
	p.add(4, 8, every(value("Average power", "Of the chosen plugs together, over the chosen span", flux(mean.flux()), unit("W"), 0, nil), meterInterval()))
	p.add(4, 8, every(value("Estimated monthly cost", "Of the chosen plugs together, by the price above", flux(monthly("plug").flux()), "", 2, nil), meterInterval()))
	for _, m := range measurements("host", "telegraf") {
		p.numbers(m)
	}
	return p
}

// processor is the condition for the parts that are the processor of a computer.
const processor = `r._field =~ /^(cpu|cpu_package|soc|package|cpu_die)_temperature_celsius/`

// gaming is the dashboard of a gaming PC or workstation: its parts, the air in its case
// and what it draws.
func gaming() *page {
	p := &page{uid: "gaming", title: "Gaming PC", about: "Processor, graphics card, the air in the case and the power of one PC", from: "now-3h", refresh: "10s"}
	host := devices("device", "PC", metric("cpu_usage_percent"))
	air := devices("case", "Sensors in the case", metric("temperature_celsius", "heating_kelvin"))
	plug := devices("plug", "Plug of the PC", metric("power_watts"))
	p.variables = append(p.variables, rooms(metric("cpu_usage_percent", "temperature_celsius", "power_watts")), host, air, plug)
	cpu, gpu := `r._field =~ /^cpu_/`, `r._field =~ /^(amd_|intel_)?gpu_/`
	p.open("Processor and graphics card")
	p.show("device", 6, 6,
		quantity{title: "CPU and GPU temperature", fields: []string{"host.temperature_celsius"}, draw: number, where: `r._field =~ /^(cpu|(amd_|intel_)?gpu)_(\d_)?temperature_celsius/`},
		quantity{title: "CPU use", fields: []string{"host.cpu_usage_percent"}, draw: ring},
		quantity{title: "GPU use", fields: []string{"host.usage_percent"}, draw: ring, where: gpu},
		quantity{title: "GPU power", fields: []string{"host.power_watts"}, draw: number, where: gpu},
		quantity{title: "RAM used", fields: []string{"host.memory_used_bytes"}, draw: number, where: `r._field !~ /gpu_/`},
		quantity{title: "VRAM used", fields: []string{"host.memory_used_bytes"}, draw: number, where: gpu},
		quantity{title: "CPU clock", fields: []string{"host.frequency_hertz"}, draw: number, where: cpu},
		quantity{title: "GPU clock", fields: []string{"host.frequency_hertz"}, draw: number, where: gpu},
	)
	p.show("device", 12, 8,
		quantity{title: "CPU and GPU temperature, course", fields: []string{"host.temperature_celsius"}, draw: plot, where: `r._field =~ /^(cpu|(amd_|intel_)?gpu)_/`},
		quantity{title: "GPU use, course", fields: []string{"host.usage_percent"}, draw: plot, where: gpu},
		quantity{title: "GPU power, course", fields: []string{"host.power_watts"}, draw: plot, where: gpu},
		quantity{title: "Fans", fields: []string{"host.fan_rpm"}, draw: plot},
		quantity{title: "Frames", fields: []string{"host.frames_per_second"}, draw: plot},
	)
	p.open("Case")
	p.show("case", 8, 8,
		quantity{title: "Case temperatures", about: "Intake, interior and exhaust", fields: []string{"air.temperature_celsius"}, draw: number},
		quantity{title: "Case temperatures, course", fields: []string{"air.temperature_celsius"}, draw: plot},
		quantity{title: "Case heating impact", about: "Exhaust above intake", fields: []string{"air.heating_kelvin"}, draw: number},
		quantity{title: "Temperature of the microcontroller", about: "Of the board that measures in the case, such as a Raspberry Pi Pico", fields: []string{"host.temperature_celsius"}, draw: plot},
	)
	p.open("Power")
	p.show("plug", 8, 6,
		quantity{title: "PC power", fields: metered("power_watts"), draw: number},
		quantity{title: "PC amps", fields: metered("current_amperes"), draw: number},
		quantity{title: "PC power, course", fields: metered("power_watts"), draw: plot},
	)
	return p
}

// monthly returns what the devices of a variable cost in a month, if their average power
// of the chosen span lasts.
func monthly(variable string) series {
	s, _ := of(metered("power_watts")...)
	s.where, s.whole, s.total, s.then = chosenIn(variable), true, true, monthlyCost
	return s
}
