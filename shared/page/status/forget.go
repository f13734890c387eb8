package status

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hearth-home/hearth/shared/store"
)

// forget deletes a device from the register, or says what that would delete. The body is a form
// with device=, its id, and sure=yes or no.
// 200 done, or with sure=no what would be done; 400 the form has mistakes; 404 there is no such
// device; 409 hearth.yml has it; 503 the store cannot be reached.
func (p *Page) forget(w http.ResponseWriter, r *http.Request) {
	form, ok := readForm(w, r, "device", "sure")
	if !ok {
		return
	}
	id, sure := form.Get("device"), form.Get("sure")
	if sure != "yes" && sure != "no" {
		http.Error(w, fmt.Sprintf("sure is %.20q: write yes, or no to see what would be deleted", sure), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	code, said, err := p.forgetDevice(ctx, id, sure == "yes")
	switch {
	case err != nil:
		http.Error(w, p.Redact(err.Error()), http.StatusServiceUnavailable)
	case code != http.StatusOK:
		http.Error(w, p.Redact(said), code)
	default:
		p.refresh()
		fmt.Fprintln(w, p.Redact(said))
	}
}

func (p *Page) forgetDevice(ctx context.Context, id string, sure bool) (code int, said string, err error) {
	st, err := p.Open(ctx)
	if err != nil {
		return 0, "", err
	}
	devices, err := st.Devices(ctx)
	if err != nil {
		return 0, "", err
	}
	named, err := st.NamedDevices(ctx)
	if err != nil {
		return 0, "", err
	}
	switch {
	case !slices.ContainsFunc(devices, func(d store.Device) bool { return d.ID == id }):
		return http.StatusNotFound, fmt.Sprintf("no device %.60q is in the register: look at the page again", id), nil
	case slices.Contains(named, id):
		return http.StatusConflict, id + " is in hearth.yml, as the functions last read it: remove it there first, else it comes back at once", nil
	case !sure:
		f, err := toForget(ctx, st, id)
		return http.StatusOK, "Forget " + id + "? " + amounts(f) + " would be deleted. Its readings stay, and it comes back with its next message.", err
	}
	f, err := st.ForgetDevices(ctx, []string{id})
	return http.StatusOK, "Forgotten: " + amounts(f) + ". Its readings stay.", err
}

// toForget counts what ForgetDevices would delete.
func toForget(ctx context.Context, st *store.Store, id string) (store.Forgotten, error) {
	f := store.Forgotten{Devices: 1}
	ids, err := st.DeviceIDs(ctx, true)
	if err != nil {
		return f, err
	}
	for _, d := range ids {
		if d.Device == id {
			f.Physical++
		}
	}
	states, err := st.DeviceStates(ctx, id)
	f.States = len(states)
	return f, err
}

func amounts(f store.Forgotten) string {
	return fmt.Sprintf("%s, %s and %s", count(f.Devices, "device"), count(f.Physical, "address"), count(f.States, "latest value"))
}

// count writes a number of things: "1 device", "2 addresses".
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	if of == "address" {
		of += "e"
	}
	return fmt.Sprintf("%d %ss", n, of)
}
