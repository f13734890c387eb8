package driver

import (
	"fmt"
	"strconv"
)

// Address is an I2C address. It is written as in datasheets: 0x76.
type Address uint16

// UnmarshalText accepts hexadecimal (0x76) and decimal (118) numbers.
func (a *Address) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 0, 7)
	if err != nil || n < 0x03 || n > 0x77 {
		return fmt.Errorf("%q is not an I2C address from 0x03 to 0x77", text)
	}
	*a = Address(n)
	return nil
}

func (a Address) String() string { return fmt.Sprintf("0x%02x", uint16(a)) }
