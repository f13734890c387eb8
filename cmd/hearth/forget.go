package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

func deviceForget() *cobra.Command {
	c := &cobra.Command{
		Use: "forget [DEVICE]", Short: "delete devices from the register, with their latest values",
		Long: `Delete a device from the register, with its latest values. DEVICE is its id, or a pattern such as 'tele-*'.

Use it for a device that is gone for good, and for the devices of a publisher that took all the room. Running functions read the register again at once. The readings in the store stay. A device that still publishes comes back as a new one; a Zigbee device does so when the bridge publishes its list again, as at a restart of Zigbee2MQTT. A device in hearth.yml is not forgotten: remove it there first.`,
		Example: "hearth device forget office-air\nhearth device forget --from hearth/pi9 --dry-run",
	}
	var p local.DevicePick
	c.Flags().StringVar(&p.From, "from", "", "only those that were first published on `TOPIC` or below: a node such as hearth/pi9, a level such as tele, a base topic of Zigbee2MQTT")
	all := c.Flags().Bool("all", false, "forget all that a pattern or --from picks")
	dry := c.Flags().Bool("dry-run", false, "list them, and forget nothing")
	c.ValidArgsFunction = completeDevices
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			p.ID = args[0]
		}
		if p.ID == "" && p.From == "" {
			return command.Wrong(fmt.Errorf("which device? Name its id, a pattern, or a topic with --from"))
		}
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			picked, err := h.PickDevices(c.Context(), p)
			switch {
			case err != nil:
				return err
			case *dry:
				return deviceTable(c.OutOrStdout(), picked)
			case !p.One() && !*all:
				return command.Wrong(fmt.Errorf("that picks %s: see them with --dry-run, forget them with --all", devices(len(picked.Devices))))
			}
			f, err := h.ForgetDevices(c.Context(), picked.Devices)
			if err == nil || f.Devices > 0 {
				writeForgotten(c.OutOrStdout(), picked, f)
			}
			return err
		})
	}
	return c
}

func writeForgotten(out io.Writer, picked local.Picked, f store.Forgotten) {
	what, comes := devices(f.Devices)+" are forgotten", "those that still publish come back as new devices"
	if len(picked.Devices) == 1 && f.Devices == 1 {
		what, comes = picked.Devices[0].ID+" is forgotten", "if it still publishes, it comes back as a new device"
	}
	fmt.Fprintf(out, "%s, with physical ids: %d, latest values: %d. Readings stay in the store; %s\n", what, f.Physical, f.States, comes)
	writeNamed(out, picked)
}

// writeNamed writes which devices stay because hearth.yml has them.
func writeNamed(out io.Writer, picked local.Picked) {
	if len(picked.Named) > 0 {
		fmt.Fprintf(out, "in hearth.yml, and so not forgotten: %s\n", printable.Line(strings.Join(picked.Named, ", ")))
	}
}

func deviceTable(out io.Writer, picked local.Picked) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tKIND\tFROM\tFIRST SEEN\tNAME")
	for _, d := range picked.Devices {
		from := "-"
		if d.Publisher != "" {
			from = printable.Line(d.Publisher)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", printable.Line(d.ID), d.Kind, from, d.Seen.Local().Format(time.DateTime), printable.Line(d.Name))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s; nothing is forgotten: this is a dry run. With --all instead of --dry-run they are\n", devices(len(picked.Devices)))
	writeNamed(out, picked)
	return err
}

func devices(n int) string {
	if n == 1 {
		return "1 device"
	}
	return fmt.Sprintf("%d devices", n)
}

// completeDevices completes the id of a device.
func completeDevices(c *cobra.Command, args []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		_ = here(io.Discard, func(h *local.Installation) error { // without a database there is nothing to complete
			picked, err := h.PickDevices(c.Context(), local.DevicePick{ID: "*"})
			for _, d := range picked.Devices {
				ids = append(ids, d.ID)
			}
			return err
		})
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
