package wire

import "strings"

// AlertPrefix begins the topics of the states of alerts. It is not below Prefix: what is there
// is read as a sensor.
const AlertPrefix = "hearth-alert/"

// escapeTopic makes a text one level of a topic.
var escapeTopic = strings.NewReplacer("%", "%25", "/", "%2F", "+", "%2B", "#", "%23", "\x00", "%00").Replace

// AlertTopic is the topic of an alert's state, a JSON object, which is retained:
// hearth-alert/air-co2-high%2Foffice-air%2Fco2_ppm. An empty message removes it.
func AlertTopic(key string) string { return AlertPrefix + escapeTopic(key) }
