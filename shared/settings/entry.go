package settings

import "go.yaml.in/yaml/v4"

// Entry returns an element of the section devices that gives a device a name and a room; one of
// them may be "".
func Entry(device, name, room string) (string, error) {
	b, err := yaml.Marshal([]struct {
		Device string `yaml:"device"`
		Name   string `yaml:"name,omitempty"`
		Room   string `yaml:"room,omitempty"`
	}{{device, name, room}})
	return string(b), err
}
