package rules

import "github.com/hearth-home/hearth/shared/alert"

// reachable notes limits that no value of the field reaches, and those between which none
// is good.
func (c *compiler) reachable(t *Threshold, path string) bool {
	f := t.field
	switch {
	case f.Max > f.Min && t.above != nil && t.above.enter >= f.Max:
		c.file.Mistake(path+".above", "%s is %s at most: write less than that", f.Key, alert.Number(f.Max, t.unit))
	case f.Max > f.Min && t.below != nil && t.below.enter <= f.Min:
		c.file.Mistake(path+".below", "%s is %s at least: write more than that", f.Key, alert.Number(f.Min, t.unit))
	case t.above != nil && t.below != nil && t.above.leave < t.below.leave:
		c.file.Mistake(path, "no value would end it: above ends at %s, below ends at %s", alert.Number(t.above.leave, t.unit), alert.Number(t.below.leave, t.unit))
	default:
		return true
	}
	return false
}
