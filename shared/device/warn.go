package device

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

// Warnings returns for people which room of the register is taken, or nearly, by whom,
// and what to do.
func Warnings(devices []store.Device, states []store.DeviceState) (out []string) {
	metrics := map[string]int{}
	for _, s := range states {
		metrics[s.Device]++
	}
	all := newRooms()
	for _, d := range devices {
		function := functionOf(d.Kind)
		all.devicesOf(function).add(d.Publisher, 1)
		all.metricsOf(function).add(d.Publisher, metrics[d.ID])
	}
	for _, of := range []map[string]*room{all.devices, all.metrics} {
		for _, function := range slices.Sorted(maps.Keys(of)) {
			if text := of[function].warning(); text != "" {
				out = append(out, function+": "+text)
			}
		}
	}
	return out
}

// warning says what has no room, else what has taken more than 80 % of its room; "" if
// neither is so.
func (r *room) warning() string {
	const unknown = "\x00"                                                                                                            // a publisher that there is not yet
	publishers := slices.SortedFunc(maps.Keys(r.by), func(a, b string) int { return cmp.Or(r.by[b]-r.by[a], strings.Compare(b, a)) }) // home/evil before home
	noisy := func(p string) bool { return r.by[p]*4 >= r.used }
	for _, p := range append(publishers, unknown) {
		if err := r.check(p, 1); err != nil && (noisy(p) || p == unknown) {
			return fmt.Sprintf("%v (%d of %d are taken)", err, r.used, r.most)
		}
	}
	free := r.most - r.used
	for _, p := range publishers {
		left := free
		if top := TopOf(p); top != p {
			left -= r.by[top]
		}
		if r.by[p]*3 >= left*2 && noisy(p) { // it may get half of what both have: 2/3 are 80 % of that
			return fmt.Sprintf("%d of the room for %d %s are taken by %s/#, which soon gets no more: if it makes up devices, forget them with: hearth device forget --from %s --dry-run",
				r.by[p], r.most, r.what, printable.Line(p), printable.Shell(p))
		}
	}
	if r.used*5 >= r.most*4 || r.tops*5 >= free {
		return fmt.Sprintf("%d of the room for %d %s are taken, by %d publishers: see which there are, and make room, with: hearth device forget '*' --dry-run", r.used, r.most, r.what, r.tops)
	}
	return ""
}
