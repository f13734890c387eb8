package driver

import (
	"fmt"
	"strconv"
)

// Address is an I2C address, written as in data sheets: 0x76.
type Address uint16

// UnmarshalText takes 0x76 and 118 alike.
func (a *Address) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 0, 7)
	if err != nil || n < 0x03 || n > 0x77 {
		return fmt.Errorf("%q is no I2C address: 0x03 to 0x77", text)
	}
	*a = Address(n)
	return nil
}

func (a Address) String() string { return fmt.Sprintf("0x%02x", uint16(a)) }
