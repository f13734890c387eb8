package local

import (
	"context"
	"errors"
	"strings"

	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// ExportSettings returns what was saved on the page as a section of hearth.yml, "" if nothing was
// saved: names and rooms of devices, and mappings of topics.
func (h *Installation) ExportSettings(ctx context.Context) (text string, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		saved, err := st.PageDevices(ctx)
		if err != nil {
			return err
		}
		text, err = exported(saved)
		return err
	})
	if errors.Is(err, errNoDatabase) {
		return "", errors.New("nothing is saved: nothing has run yet")
	}
	return text, err
}

// SavedMappings returns the mappings that were saved on the page: none before anything has run.
func (h *Installation) SavedMappings(ctx context.Context) (saved []string, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		saved, err = st.SavedMappings(ctx)
		return err
	})
	if errors.Is(err, errNoDatabase) {
		return nil, nil
	}
	return saved, err
}

// exported writes the section devices.
func exported(saved []store.PageDevice) (string, error) {
	var b strings.Builder
	for _, p := range saved {
		switch {
		case p.Mapping != "":
			b.WriteString(indented(p.Mapping))
		case p.Name != "" || p.Room != "":
			element, err := settings.Entry(p.Device, p.Name, p.Room)
			if err != nil {
				return "", err
			}
			b.WriteString(indented(element))
		}
	}
	if b.Len() == 0 {
		return "", nil
	}
	return "devices:\n" + b.String(), nil
}

// indented moves elements of a list to the right or to the left, so that they begin after two
// spaces.
func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	from := 0
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " "); strings.HasPrefix(trimmed, "-") {
			from = len(l) - len(trimmed)
			break
		}
	}
	var b strings.Builder
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		cut := min(from, len(l)-len(strings.TrimLeft(l, " ")))
		b.WriteString("  " + l[cut:] + "\n")
	}
	return b.String()
}
