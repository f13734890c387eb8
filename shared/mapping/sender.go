package mapping

import (
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Role is what a key of a payload says of who sent it. Gateways publish the readings of
// many devices on one topic, and only such keys tell them apart.
type Role int

const (
	Nothing  Role = iota // it says nothing of it
	Sender               // it names the sender, or where that is
	Receiver             // it names the gateway that received the message; a device may reach several
	Part                 // it tells apart senders of one name: a model, a channel
	Address              // it tells senders apart, but may change: an IP address
	Doubtful             // it is a text that may name the sender
)

const maxSender = 100 // bytes of a sender's name

// RoleOf returns the role of a key whose meaning no mapping explains, with its value. It
// knows the keys of rtl_433, OpenMQTTGateway, Theengs, wmbusmeters, The Things Network,
// Domoticz, AirGradient, RFLink, Meshtastic and of what people write themselves. A sender
// whose value is null or empty has that role, too.
func RoleOf(key string, raw []byte) Role {
	value, isText := strings.TrimSpace(text(raw)), raw[0] == '"'
	if raw[0] == '{' || raw[0] == '[' || raw[0] == 't' || raw[0] == 'f' || switched[strings.ToLower(value)] {
		return Nothing
	}
	role, described := roleOfKey(key)
	switch {
	case role == Part && strings.EqualFold(key, "unit") && isText && isUnit(value):
		return Nothing
	case role == Nothing && isText && !described && !isPlain(value):
		return Doubtful
	case role == Sender && !isText && strings.ContainsAny(value, ".eE"), // rather a measurement
		role != Nothing && len(raw) > maxSender:
		return Doubtful
	}
	return role
}

// roleOfKey returns the role of a key by its words. described is true for a key whose
// text says how the sender is.
func roleOfKey(key string) (role Role, described bool) {
	spelt := catalogue.Key(key)
	joined := strings.ReplaceAll(spelt, "_", "")
	first, _, several := strings.Cut(spelt, "_")
	last := spelt[strings.LastIndexByte(spelt, '_')+1:]
	named := several && idWords[last]
	switch {
	case addresses[joined]:
		return Address, false
	case receivers[joined] || named && receivers[first]:
		return Receiver, false
	case parts[joined] || several && last == "type" && !perMessage[first]:
		return Part, false
	case senders[joined] || named && !perMessage[first]:
		return Sender, false
	case counts[joined]:
		return Doubtful, false
	}
	return Nothing, named || several && last == "type" || states[last] || states[joined]
}

// senderOrder is the order in which rtl_433 names its devices. Other keys stand between
// subtype and channel.
var senderOrder = map[string]int{"type": -5, "model": -4, "subtype": -3, "channel": 1, "id": 2}

// CompareSenders orders the keys of which a device's name is made.
func CompareSenders(a, b string) int {
	return cmp.Or(senderOrder[a]-senderOrder[b], strings.Compare(a, b))
}

// IsUnique reports whether no two devices have this id: it has eight hexadecimal digits
// or more.
func IsUnique(id string) bool {
	return hexDigits(id) >= 8
}

// IsMAC reports whether an id is a MAC address.
func IsMAC(id string) bool { return hexDigits(id) == 12 }

// hexDigits counts the digits of a hexadecimal number, in which : and - do not count. It
// returns 0 for another text.
func hexDigits(id string) int {
	id = addressSigns.Replace(id)
	if strings.Trim(id, "0123456789abcdefABCDEF") != "" {
		return 0
	}
	return len(id)
}

var addressSigns = strings.NewReplacer(":", "", "-", "")

// Describes reports whether a key describes a device whose id is a MAC address: a BLE
// gateway sends it only at times.
func Describes(key string) bool { return describing[key] }

var describing = set("name model model_id type")

// Says reports whether a level of the topic, or the end of its last one, is a value but
// for case and punctuation: then the value tells nothing more.
func Says(topicName, value string) bool {
	if strings.IndexFunc(value, isLetter) < 0 {
		return false
	}
	for rest, more := topicName, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		if sameLetters(level, value) {
			return true
		}
	}
	end := strings.LastIndexFunc(topicName, func(r rune) bool { return !isLetter(r) })
	return sameLetters(topicName[end+1:], value) // 0 of switch:0
}

// sameLetters reports whether two texts have the same letters and digits but for case.
func sameLetters(a, b string) bool {
	for {
		i, j := strings.IndexFunc(a, isLetter), strings.IndexFunc(b, isLetter)
		if i < 0 || j < 0 {
			return i < 0 && j < 0
		}
		r, n := utf8.DecodeRuneInString(a[i:])
		s, m := utf8.DecodeRuneInString(b[j:])
		if unicode.ToLower(r) != unicode.ToLower(s) {
			return false
		}
		a, b = a[i+n:], b[j+m:]
	}
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// senders are keys, in small letters, that name a sender or its place.
	senders = set(`id device dev deviceid devid deviceaddr devaddr deveui mac macaddr macaddress addr address serial serialno serialnr serialnumber sn
		sensorid sensornr sensorno nodeid nodenr node uid uuid guid eui euid eui64 imei ieee ieeeaddr ieeeaddress rom romid chipid esp8266id stationid station meterid meter
		meterno meternumber name hostname host devicename sensorname nodename friendlyname displayname longname shortname objectid entityid entity thing thingid
		location loc room zone place area floor site building house client clientid from sender src origin topic mqtttopic tag label alias title
		probe tank plug outlet socket slot circuit phase bus probeid idx index stationname user owner endpoint ep`)
	// receivers are keys that name the gateway which received a message, or begin such a key.
	receivers = set("gateway gw gatewayid gatewaymac gatewayeui gwid gwmac gweui receiver scanner")
	// parts are keys that tell apart senders of one name, and of which alone many may have
	// the same value.
	parts = set(`type model modelid subtype channel ch chan kanal canal unit sensor port pin gpio kind`)
	// idWords end a key that names a sender: device_id, nodeName, gwMac.
	idWords = set(`id name mac addr address serial sn eui uid uuid imei`)
	// perMessage begin a key that ends so and names something else: messageId, fileName.
	perMessage = set(`message msg packet pkt frame event request req session boot transaction trace correlation cycle run job season day night week weekday month song track sequence seq record row log config
		firmware build fw sw alarm error command cmd state mode scene preset program pattern user file app rule vendor manufacturer company brand product category class
		service network net wifi ap access color effect source trigger`)
	addresses = set(`ip ipaddr ipaddress ipv4 localip ip4 lanip`)
	// counts may number senders or messages. The passkey of Ecowitt is its sender, and is
	// not to be shown.
	counts = set(`no nr num number passkey`)
	// states end a key of a text that says how a sender is, not who.
	states = set(`status state mode action event version firmware fw sw hw hardware software build ssid bssid wifi network net time date timestamp datetime ts seen uptime
		updated tz timezone offset msg message info comment note notes description desc text error err errors fault reason result trend quality level alarm alert warning
		color colour mic mod modulation protocol proto freq frequency manufacturer vendor brand maker rssi snr lqi signal raw data payload hex rawdata bytes source trigger
		cause units uom battery batt bat power supply board chip platform sdk core crc checksum code key token password passwd pwd pass secret apikey icon url uri link weather condition conditions season
		day night week lang language currency presence motion occupancy contact door window lock light lamp led security encryption rule ota update calibration heating
		cooling fan relay switch output input button click press position direction wind tamper smoke leak water rain schedule profile preset program country region
		ok valid online connected availability available lwt will reset restart boot sleep interval duration period class category format encoding command cmd method
		accuracy forecast dir clock built compiled wakeup wake stage phasetext heat valve pump pir moved vibration tilt orientation`)
	// switched are values of a switch, under any key.
	switched = set("on off true false open opened closed yes no ok online offline")
	// plainWords are other values that name nobody.
	plainWords = set(`opening closing locked unlocked idle active inactive auto automatic manual heat heating cool cooling dry wet normal good fair poor excellent moderate none
		null nil nan unknown unavailable undefined n/a na error fault failed charging discharging full detected present absent stable rising falling steady enabled disabled
		ready running stopped standby comfort comfortable - -- ???`)
)

// isPlain reports whether a text names nobody: a word for a state, a quantity, a time, a
// version.
func isPlain(v string) bool {
	if v == "" || plainWords[strings.ToLower(v)] {
		return true
	}
	if rest := strings.TrimLeft(v, "+-0123456789.,"); rest != v && (rest == "" || (rest[0] >= utf8.RuneSelf || strings.ContainsAny(rest[:1], " %")) && isUnit(strings.TrimSpace(rest))) {
		return strings.Count(v, ".") != 3 // an IP address has three dots
	}
	if strings.Trim(v, "0123456789:") == "" && len(v) <= len("12:00:00") && strings.Contains(v, ":") {
		return true // a time of day
	}
	if strings.Trim(strings.TrimPrefix(strings.ToLower(v), "v"), "0123456789.") == "" && strings.Contains(v, ".") {
		return true // a version
	}
	if v[0] < '0' || v[0] > '9' {
		return false
	}
	_, err := ParseTime(v, time.UTC)
	return err == nil
}

// isUnit reports whether a text is a unit of measure.
func isUnit(v string) bool {
	_, known := catalogue.UnitOf(v)
	return known || strings.ContainsAny(v, "°%/µ³²")
}
