package page

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/hearth-home/hearth/shared/page/glance"
)

// withSteps adds the tile of the first steps to the parts of the whole page as it is now: at
// the end of the grid, or first if nothing is live yet.
func (p *Page) withSteps(parts []part, v glance.View) []part {
	if p.Steps == nil || v.Name != "" || !v.At.IsZero() {
		return parts
	}
	html := p.Steps.Tile()
	if html == "" {
		return parts
	}
	sum := fnv.New64a()
	fmt.Fprint(sum, html)
	at := len(parts) - 1 // before the foot
	if p.Steps.First() {
		at = 1 + slices.IndexFunc(parts, func(p part) bool { return p.ID == "verdict" })
	}
	return slices.Insert(parts, at, part{"cell-steps", html, fmt.Sprintf("%x", sum.Sum64())})
}
