package house

import (
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/settings"
)

// Subjects returns what maintenance is of, as the House has it. A node or a bridge may be
// named as its agent or topic is, or by the id of its device.
func Subjects(m settings.Maintenance) []string {
	switch {
	case m.Room != "":
		return []string{"room/" + strings.ToLower(m.Room)}
	case m.Device != "":
		return []string{"device/" + m.Device}
	case m.Node != "":
		return []string{"node/" + m.Node, "node/edge-" + device.ID(m.Node)}
	}
	return []string{"bridge/" + m.Bridge, "bridge/" + device.ID(m.Bridge)}
}

func pathOf(section string, i int) string { return fmt.Sprintf("%s[%d]", section, i) }
