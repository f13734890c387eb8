package page

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/page/unmapped"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxDeviceForm = 64 << 10 // bytes
	maxDeviceName = 100      // characters
	maxLetters    = 500      // that are looked through
	deviceWait    = 5 * time.Second
)

// refusal is an error that the person can do something about, with its HTTP status.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return r.text }

// device saves what a person says of a new device, or of a topic whose messages no mapping reads.
// The body is a form:
//
//	do=save&device=ID&name=…&room=…   gives the device a name and a room
//	do=save&topic=ID&mapping=…        maps the topic; without mapping as hearth proposes it. name and room are of its device
//	do=preview&topic=ID&mapping=…     says what the mapping finds in the messages that wait
//	do=dismiss&device=ID              leaves it as it is; topic=ID the same
//
// 200 with a sentence; 400 the form or the mapping has mistakes; 404 there is no such device or
// topic any more; 409 hearth.yml has the device; 503 the store cannot be reached.
func (p *Page) device(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxDeviceForm)
	form, err := deviceForm(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), deviceWait)
	defer cancel()
	said, err := p.saveDevice(ctx, form)
	if refused, ok := errors.AsType[refusal](err); ok {
		http.Error(w, p.Glance.Redact(refused.text), refused.code)
		return
	}
	if err != nil {
		http.Error(w, p.Glance.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, p.Glance.Redact(said))
}

// deviceForm reads the form, and refuses what it does not know.
func deviceForm(r *http.Request) (map[string]string, error) {
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(maxDeviceForm)
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	out := map[string]string{}
	known := []string{"device", "do", "mapping", "name", "room", "topic"}
	for _, key := range slices.Sorted(maps.Keys(r.PostForm)) {
		if !slices.Contains(known, key) || len(r.PostForm[key]) != 1 {
			return nil, fmt.Errorf("unknown field %.40q, or more than one: known are %s", key, strings.Join(known, ", "))
		}
		out[key] = r.PostForm.Get(key)
	}
	for _, key := range []string{"name", "room"} {
		out[key] = strings.TrimSpace(out[key])
		if err := device.CheckName(out[key]); err != nil {
			return nil, err
		}
		if len([]rune(out[key])) > maxDeviceName {
			return nil, fmt.Errorf("the %s is longer than %d characters", key, maxDeviceName)
		}
	}
	if (out["device"] == "") == (out["topic"] == "") {
		return nil, errors.New("give a device or a topic")
	}
	if do := out["do"]; do != "save" && do != "dismiss" && (do != "preview" || out["topic"] == "") {
		return nil, fmt.Errorf("do is %.20q: write save, dismiss, or of a topic preview", do)
	}
	return out, nil
}

func (p *Page) saveDevice(ctx context.Context, form map[string]string) (string, error) {
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return "", err
	}
	if form["topic"] != "" {
		return p.saveTopic(ctx, st, form)
	}
	row := store.PageDevice{Device: form["device"], Name: form["name"], Room: form["room"], Since: p.Glance.Now()}
	listed, err := st.Devices(ctx)
	switch {
	case err != nil:
		return "", err
	case !slices.ContainsFunc(listed, func(d store.Device) bool { return d.ID == row.Device }):
		return "", refusal{http.StatusNotFound, texts.Say("new.noDevice")}
	case glance.IsNamed(p.Glance.Settings(), row.Device):
		return "", refusal{http.StatusConflict, texts.Say("new.declared")}
	case form["do"] == "dismiss":
		row.Name, row.Room = "", ""
		return texts.Say("new.left"), st.SavePageDevice(ctx, row, false)
	case row.Name == "" && row.Room == "":
		return "", refusal{http.StatusBadRequest, texts.Say("new.nothing")}
	}
	return texts.Say("new.saved"), st.SavePageDevice(ctx, row, false)
}

// saveTopic tries a mapping on the messages that wait, and saves it if it finds something.
func (p *Page) saveTopic(ctx context.Context, st *store.Store, form map[string]string) (string, error) {
	letters, err := st.DeadLetters(ctx, maxLetters)
	if err != nil {
		return "", err
	}
	topics := unmapped.Topics(letters, nil)
	i := slices.IndexFunc(topics, func(t unmapped.Topic) bool { return t.ID == form["topic"] })
	if i < 0 {
		return "", refusal{http.StatusNotFound, texts.Say("new.noTopic")}
	}
	t := topics[i]
	row := store.PageDevice{Topic: t.Name, Since: p.Glance.Now()}
	if form["do"] == "dismiss" {
		return texts.Say("new.leftTopic"), st.SavePageDevice(ctx, row, false)
	}
	row.Mapping = t.Mapping
	if text := form["mapping"]; text != "" {
		row.Mapping = strings.TrimRight(unmapped.Elements(text), "\n") + "\n"
	}
	values, err := t.Try(row.Mapping)
	if err != nil {
		return "", refusal{http.StatusBadRequest, err.Error()}
	}
	if form["do"] == "preview" {
		return preview(values), nil
	}
	if err := p.saveMapped(ctx, st, form, row); err != nil {
		return "", err
	}
	return texts.Say("new.savedTopic"), nil
}

// saveMapped saves a mapping, and the name and the room of its device.
func (p *Page) saveMapped(ctx context.Context, st *store.Store, form map[string]string, row store.PageDevice) error {
	id, name, room := unmapped.Saved(row.Mapping)
	if form["name"] != "" {
		name = form["name"]
	}
	if form["room"] != "" {
		room = form["room"]
	}
	if name != "" || room != "" {
		switch {
		case id == "":
			return refusal{http.StatusBadRequest, texts.Say("new.several")}
		case glance.IsNamed(p.Glance.Settings(), id):
			return refusal{http.StatusConflict, texts.Say("new.declared")}
		}
		if err := st.SavePageDevice(ctx, store.PageDevice{Device: id, Name: name, Room: room, Since: row.Since}, true); err != nil {
			return err
		}
	}
	return st.SavePageDevice(ctx, row, false)
}

// preview writes what a mapping finds, a line each.
func preview(values []unmapped.Value) string {
	var b strings.Builder
	for _, v := range values {
		text := v.Text
		if text == "" {
			text = strings.TrimSpace(strconv.FormatFloat(v.V, 'g', 6, 64) + " " + v.Field.Unit)
		}
		fmt.Fprintf(&b, "%s: %s %s\n", v.Device, v.Field.Title, text)
	}
	return strings.TrimRight(b.String(), "\n")
}
