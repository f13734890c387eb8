package page

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/hearth-home/hearth/shared/page/glance"
)

// withSteps adds the first steps to the parts of the whole page as it is now: above the grid
// and below it, of which one is hidden.
func (p *Page) withSteps(parts []part, v glance.View) []part {
	if p.Steps == nil || v.Name != "" || !v.At.IsZero() {
		return parts
	}
	return slices.Insert(parts, len(parts)-1, plainPart("steps-top", p.Steps.Top()), plainPart("steps-end", p.Steps.End()))
}

func plainPart(id, html string) part {
	sum := fnv.New64a()
	fmt.Fprint(sum, html)
	return part{id, html, fmt.Sprintf("%x", sum.Sum64())}
}
