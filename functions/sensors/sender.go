package function

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/wire"
)

// sender gathers what a payload without a mapping says of who sent it, besides its topic.
// rtl_433, for one, publishes the readings of all devices on one topic.
type sender struct {
	parts     []senderPart // that make a device of their own
	receivers []senderPart // gateways, which are such parts too unless one of those is unique
	named     bool         // one of both is a name or an id
	address   *senderPart  // it counts if there is no other part
	unnamed   []string     // keys for a name that have none
	doubtful  []string     // keys that may name it
}

type senderPart struct{ key, value string }

// read takes a key that is no measurement. ok reports whether it tells of the sender.
func (s *sender) read(key string, raw []byte) (ok bool) {
	if raw[0] == '{' || raw[0] == '[' {
		s.readWithin(key, raw, 0)
		return false
	}
	role := mapping.RoleOf(key, raw)
	s.add(key, raw, role)
	return role != mapping.Nothing && role != mapping.Doubtful
}

func (s *sender) add(key string, raw []byte, role mapping.Role) {
	p := senderPart{clip(key), strings.TrimSpace(mapping.Text(raw))}
	switch {
	case role == mapping.Nothing:
	case role == mapping.Doubtful:
		s.doubtful = append(s.doubtful, p.key)
	case mapping.NoValue(p.value) && role == mapping.Part:
	case mapping.NoValue(p.value):
		s.unnamed = append(s.unnamed, p.key)
	case role == mapping.Address:
		if s.address == nil || p.key < s.address.key {
			s.address = &p
		}
	case role == mapping.Receiver:
		s.receivers, s.named = append(s.receivers, p), true
	default:
		s.parts = append(s.parts, p)
		s.named = s.named || role == mapping.Sender
	}
}

const maxWithin = 8 // levels of objects in which a name is looked for

// readWithin looks for a name in an object or a list: what it names may be the sender, or
// one of several in the message.
func (s *sender) readWithin(path string, raw []byte, level int) {
	if level > maxWithin || len(s.doubtful) > 0 {
		return
	}
	sc := scan.New(raw)
	if raw[0] == '[' {
		_ = sc.Array(func(int) error { // it was scanned before: it is valid
			raw, err := sc.Raw()
			if err == nil && (raw[0] == '{' || raw[0] == '[') {
				s.readWithin(path, raw, level+1)
			}
			return err
		})
		return
	}
	_ = sc.Object(func(key []byte) error {
		raw, err := sc.Raw()
		switch k := path + "." + clip(string(key)); {
		case err != nil:
		case raw[0] == '{' || raw[0] == '[':
			s.readWithin(k, raw, level+1)
		case mapping.RoleOf(string(key), raw) == mapping.Sender:
			s.doubtful = append(s.doubtful, k)
		}
		return err
	})
}

func clip(key string) string { return strings.ToValidUTF8(key[:min(len(key), 60)], "") }

// doubt returns an error if the payload may be of one of several senders on its topic and
// does not tell for certain of which.
func (s *sender) doubt(topicName string) error {
	keys := s.doubtful
	if len(s.parts) == 0 && s.address == nil {
		keys = append(keys, s.unnamed...)
	}
	if s.named || len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = "$." + k
	}
	return fmt.Errorf(wire.Unmapped+"topic %s: %s may tell which device sent the message. Map it with device: %s, or with the name of the only device there",
		generalTopic(topicName), strings.Join(keys[:min(len(keys), 10)], ", "), template(keys))
}

// template writes the device of a mapping that joins paths.
func template(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return `"{` + strings.Join(paths[:min(len(paths), 10)], "}-{") + `}"`
}

// settle leaves the parts that tell devices apart. Several gateways may receive a device
// that has an id which is unique: a MAC address, the number of a meter.
func (s *sender) settle() {
	switch unique := slices.ContainsFunc(s.parts, func(p senderPart) bool { return mapping.IsUnique(p.value) }); {
	case !unique:
		s.parts = append(s.parts, s.receivers...)
	case mapping.IsMAC(s.value("id")): // of a BLE gateway: a device says its name only at times
		s.parts = slices.DeleteFunc(s.parts, func(p senderPart) bool { return mapping.Describes(p.key) })
	case s.value("meter") != "": // wmbusmeters: device is the receiver
		s.drop("device")
	case s.address != nil && s.value("mac") != "" && s.value("host") != "": // ESPurna: id numbers the messages
		s.drop("id")
	}
	if len(s.parts) == 0 && s.address != nil {
		s.parts = append(s.parts, *s.address)
	}
}

func (s *sender) value(key string) string {
	i := slices.IndexFunc(s.parts, func(p senderPart) bool { return p.key == key })
	if i < 0 {
		return ""
	}
	return s.parts[i].value
}

func (s *sender) drop(key string) {
	s.parts = slices.DeleteFunc(s.parts, func(p senderPart) bool { return p.key == key })
}

// device returns the name and the physical id of the device that sent a payload. Both
// depend on nothing but the topic and the payload. The name leaves out what the topic
// says already.
func (s *sender) device(topicName string) (name, physical string) {
	name, physical = topicName, topicPrefix+topicName
	s.settle()
	if len(s.parts) == 0 {
		return name, physical
	}
	slices.SortFunc(s.parts, func(a, b senderPart) int {
		return cmp.Or(mapping.CompareSenders(a.key, b.key), strings.Compare(a.value, b.value))
	})
	var keyed, more []string
	for _, p := range s.parts {
		keyed = append(keyed, p.key+"="+p.value)
		if !mapping.Says(topicName, p.value) && !slices.Contains(more, p.value) {
			more = append(more, p.value)
		}
	}
	if len(more) > 0 {
		name += "/" + strings.Join(more, " ")
	}
	if k := s.parts[0].key; len(s.parts) == 1 && (k == "device_id" || k == "deviceId" || k == "sensor_id") {
		return name, physical + "/" + s.parts[0].value
	}
	return name, physical + "#" + strings.Join(keyed, ",") // no topic has a #
}
