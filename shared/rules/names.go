package rules

import (
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// The names of the rules that have no threshold in the catalogue.
const (
	Silent         = "silent"         // a device or a metric sends nothing any more
	Frozen         = "frozen"         // a value does not change any more
	DeviceOffline  = "device-offline" // its source says that the device cannot be reached
	NodeOffline    = "node-offline"   // an edge agent
	BridgeOffline  = "bridge-offline" // Zigbee2MQTT
	BrokerSilent   = "broker-silent"  // no message comes through the broker
	StoreAway      = "store-away"     // the databases cannot be reached
	CronStopped    = "cron-stopped"   // alert-devices is not called any more
	PowerCut       = "power-cut"      // hearth itself was off
	SourceFailing  = "source-failing" // a target of a source
	SourceOverdue  = "source-overdue" // a function with a schedule did not run
	Quota          = "quota"          // the calls of an upstream are nearly spent
	Dependabot     = "dependabot"     // a vulnerable dependency
	DeadLetters    = "dead-letters"   // messages that could not be stored
	SequenceGap    = "sequence-gap"   // numbered readings of an edge agent are lost
	Certificate    = "certificate"    // of a host, about to expire
	Expiry         = "expiry"         // of something else: a token, a contract
	UPSLinkLost    = "ups-link-lost"  // of the catalogue: it explains what else is missing of the UPS
	Alertmanager   = "alertmanager"   // what Prometheus' Alertmanager sends
	remindEvery    = 24 * time.Hour   // until an alert is acknowledged or resolved
	defaultChannel = alert.Devices    // of a rule of hearth.yml on a field without another
)

// specs are the rules without a threshold.
var specs = func() map[string]alert.Spec {
	m := map[string]alert.Spec{}
	add := func(name string, c alert.Channel, s alert.Severity, title, next string) {
		m[name] = alert.Spec{Rule: name, Channel: c, Severity: s, Title: title, Next: next, Remind: remindEvery}
	}
	add(Silent, alert.Devices, alert.Warning, "No values", "Check its power, its battery and its connection.")
	add(Frozen, alert.Devices, alert.Warning, "The value does not change", "Restart the sensor. If the value stays the same, replace it.")
	add(DeviceOffline, alert.Devices, alert.Warning, "Not reachable", "Check its power and its battery.")
	add(NodeOffline, alert.Pipelines, alert.Warning, "The edge agent is offline", "Check that the computer runs and reaches the broker.")
	add(BridgeOffline, alert.Pipelines, alert.Warning, "Zigbee2MQTT is offline", "Check that Zigbee2MQTT runs, and its adapter.")
	add(BrokerSilent, alert.Pipelines, alert.Critical, "No message comes through the broker", "Check that the MQTT broker and hearth's connector run.")
	add(StoreAway, alert.Pipelines, alert.Critical, "The database cannot be reached", "Check that the databases run. Messages wait meanwhile and are stored later.")
	add(CronStopped, alert.Pipelines, alert.Critical, "The schedules have stopped", "Check that the cron-connector runs: nothing finds silent devices or overdue sources meanwhile.")
	add(PowerCut, alert.Pipelines, alert.Warning, "hearth was off", "")
	add(SourceFailing, alert.Pipelines, alert.Warning, "Fetching fails", "")
	add(SourceOverdue, alert.Pipelines, alert.Warning, "Did not run", "Check the function and its schedule.")
	add(Quota, alert.Pipelines, alert.Warning, "The quota is nearly spent", "Call it less often, or take a larger plan.")
	add(Dependabot, alert.Security, alert.Warning, "Vulnerable dependency", "Update it.")
	add(DeadLetters, alert.Pipelines, alert.Warning, "Messages could not be stored", "See the reason on the page, correct it, and replay them.")
	add(SequenceGap, alert.Pipelines, alert.Warning, "Readings of an edge agent are lost", "Check the broker: it has lost messages that it had accepted.")
	add(Certificate, alert.Security, alert.Warning, "The certificate expires", "Renew it.")
	add(Expiry, alert.Security, alert.Warning, "It expires", "Renew it.")
	for _, name := range []string{Certificate, Expiry} { // they are told at each step to the end, and not each day
		s := m[name]
		s.Remind = 0
		m[name] = s
	}
	add(Alertmanager, alert.Pipelines, alert.Warning, "Alertmanager", "")
	return m
}()
