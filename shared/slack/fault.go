package slack

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"
)

// Fault is what an error of Post, Reply or Update means for the message.
type Fault struct {
	Bad     bool          // Slack refuses this message because of its content: others may be accepted
	Unknown bool          // Slack may have accepted it all the same
	After   time.Duration // how long Slack asks to wait; 0: it does not say
}

// FaultOf returns what an error means.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return Fault{After: e.RetryAfter}
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return Fault{Bad: e.Code == http.StatusBadRequest || e.Code == http.StatusRequestEntityTooLarge, Unknown: e.Code >= 500}
	}
	if code := code(err); code != "" {
		return Fault{Bad: slices.Contains(badContent, code), Unknown: slices.Contains(perhaps, code)}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return Fault{} // nothing was sent
	}
	return Fault{Unknown: true}
}

var (
	badContent = []string{"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text", "invalid_arguments", "too_many_attachments",
		"metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "markdown_text_conflict", "invalid_array_arg", "invalid_form_data"}
	perhaps = []string{"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
	gone    = []string{"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "cannot_reply_to_message", "is_inactive"}
	closed  = []string{"missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type", "no_permission", "method_not_supported_for_channel_type", "access_denied"}
)

// Gone reports whether an error says that a message cannot be edited or replied to, now or
// ever.
func Gone(err error) bool { return slices.Contains(gone, code(err)) }

// Left reports whether an error says that the bot cannot write in the channel of a message.
// It may be a former one: the settings may name another now.
func Left(err error) bool {
	return slices.Contains([]string{"is_archived", "channel_not_found", "not_in_channel"}, code(err))
}

// Closed reports whether an error of Find says that the bot may not read the channel.
func Closed(err error) bool { return slices.Contains(closed, code(err)) }

// code returns Slack's word for an error; "" if Slack did not say one.
func code(err error) string {
	e, _ := errors.AsType[slack.SlackErrorResponse](err)
	return e.Err
}
