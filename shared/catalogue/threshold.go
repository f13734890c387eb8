package catalogue

import "time"

// Threshold is a default alert. It starts above Above or below Below, and ends once
// the value is back by Hysteresis. HasAbove and HasBelow say which side is set.
type Threshold struct {
	Above, Below       float64
	HasAbove, HasBelow bool
	Hysteresis         float64

	Rule     string        // the end of the rule's name, after that of the measurement; "": made of the key
	Title    string        // for people; "": made of the title of the field
	Next     string        // what to do, for people
	For      time.Duration // how long the condition must hold
	ClearFor time.Duration // how long it must be over
	Critical bool          // it is critical; else a warning
	Channel  string        // what it is about, as package alert has it; "": as the others of the measurement
	Comfort  bool          // it matters only while somebody is at home
	Where    Where         // of which devices
	Device   string        // only of this one, by its id, in place of what else has the rule's name; "": of each
	Away     Away          // what changes while nobody is at home
	Instead  string        // key of another number: a device that has that one needs no such alert
	Except   string        // key of a flag of the device: while that is 1, the alert does not begin
}

// Where says of which devices a threshold holds, by their names and rooms. It holds only
// for the field itself, not for that of a part.
type Where int

// Where a threshold holds.
const (
	Anywhere Where = iota
	Indoors        // devices in a room in which people live
	Freezers       // devices that are called freezer, or are in a room of that name
)

// Away says what changes of a threshold while nobody is at home.
type Away int

// What changes while nobody is at home.
const (
	AwaySame     Away = iota
	AwayCritical      // it is critical then, and begins at once
	AwayOnly          // it begins only then, and is critical
)

// above returns a threshold of values that are too high.
func above(v, hysteresis float64, t Threshold) Threshold {
	t.Above, t.HasAbove, t.Hysteresis = v, true, hysteresis
	return t
}

// below returns a threshold of values that are too low.
func below(v, hysteresis float64, t Threshold) Threshold {
	t.Below, t.HasBelow, t.Hysteresis = v, true, hysteresis
	return t
}

// flag returns the threshold of a field that is 0 or 1: it starts with 1.
func flag(t Threshold) Threshold { return above(0.5, 0, t) }

const climate, hardware, security = "climate", "hardware", "security"

// co2 is when the air of a room should be changed. The German Environment Agency calls
// 1,000 to 2,000 ppm elevated, and more than that unacceptable
// (https://doi.org/10.1007/s00103-008-0707-2).
func co2() Threshold {
	return above(1500, 200, Threshold{Next: "Open a window.", For: 2 * time.Minute, Channel: climate, Comfort: true})
}

// particles is when fine particles are many.
func particles(v, hysteresis float64) Threshold {
	return above(v, hysteresis, Threshold{Next: "Find what smokes or burns; close the windows if it comes from outside, else open them.",
		For: 2 * time.Minute, Channel: climate, Comfort: true})
}

// roomTemperature is what is wrong with a room, or a freezer, by its temperature.
func roomTemperature() []Threshold {
	return []Threshold{
		below(3, 1, Threshold{Rule: "frost", Title: "Frost", Next: "Heat the room: water pipes may freeze.", For: 5 * time.Minute, Channel: climate, Where: Indoors}),
		above(40, 3, Threshold{Rule: "heat", Title: "The room is very hot", Next: "Look what heats it.", For: 30 * time.Minute, Channel: climate, Where: Indoors}),
		above(-12, 2, Threshold{Rule: "freezer", Title: "The freezer is too warm", Next: "Check its door and its plug.", For: time.Hour, Channel: climate, Where: Freezers}),
	}
}

// roomHumidity is when walls may grow mould.
func roomHumidity() []Threshold {
	return []Threshold{above(80, 5, Threshold{Rule: "humid", Title: "The room has been humid for a day", Next: "Air and heat it: mould may grow.",
		For: 24 * time.Hour, Channel: climate, Comfort: true, Where: Indoors})}
}
