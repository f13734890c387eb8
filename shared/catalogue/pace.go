package catalogue

// Pace says by how much a counter can rise, in its unit.
type Pace struct {
	Burst float64 // in any short time: counters are often coarse
	Rate  float64 // in an hour
	dip   float64 // a smaller step back is noise
	Known bool    // the unit says so; otherwise the numbers are wide
	Step  float64 // in a minute, as the field says; 0: it does not
}

// paces are by the symbol of the unit. They are what a house can use at most.
var paces = map[string]Pace{
	"kWh": {Burst: 1, Rate: 50, dip: 0.1},                // three phases of 72 A
	"l":   {Burst: 500, Rate: 36000, dip: 5},             // 10 l a second
	"m³":  {Burst: 2, Rate: 100, dip: 0.05},              // a gas meter G65
	"mm":  {Burst: 30, Rate: 2400, dip: 0.3},             // of rain: the most ever measured in a minute is 31 mm
	"s":   {Burst: 86400, Rate: 3600 * 1024, dip: 1},     // time on, or of so many processors
	"B":   {Burst: 1e11, Rate: 12.5e9 * 3600, dip: 1000}, // 100 Gbit/s
}

// unknownPace is that of pulses and of all other units.
var unknownPace = Pace{Burst: 1e4, Rate: 6e5, dip: 1e18}

// Pace returns by how much a counter can rise.
func (f *Field) Pace() Pace {
	p, ok := paces[f.Unit]
	if !ok && f.Unit == "" {
		p, ok = paces[KeyUnit(f.Key)]
	}
	if !ok {
		p = unknownPace
	}
	p.Known, p.Step = ok, f.Step
	return p
}

// Noise is the largest step back of a counter at v that is noise.
func (p Pace) Noise(v float64) float64 {
	const share = 0.02
	return min(p.dip, share*v)
}
