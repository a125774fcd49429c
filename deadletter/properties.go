package deadletter

// Subscription is the durable subscription that exists on the dead-letter topic before its first message, so that the topic keeps what
// is published (design §7). Its type is Shared.
const Subscription = "rowvec-dlq"

// The properties that a dead letter has beside those of the original message. The payload, the key and the event time are the original's,
// the ordering key is the original's or what the broker used in its place (but for what PropOmitted names), so that publishing the letter to PropSourceTopic again
// redrives it, to the instance that has the row. Of these properties it needs PropSchemaVersion alone: a message that is published
// again cannot have its schema, without which decimals and dates are not known.
// A property whose value is unknown is absent. Times are RFC 3339 in UTC. The free texts are cut to bounded lengths.
const (
	PropClass       = "rowvec.class"        // class of the error; of a letter always Class
	PropReason      = "rowvec.reason"       // machine word: why the message can never succeed
	PropStage       = "rowvec.stage"        // where: decode, plan, embed, write
	PropMessage     = "rowvec.message"      // for a person; up to 2,048 bytes
	PropTable       = "rowvec.table"        // schema.table
	PropRow         = "rowvec.row"          // row id, up to 512 bytes
	PropVersion     = "rowvec.version"      // "lsn@commit-ms" of the change
	PropSourceTopic = "rowvec.source_topic" // without -partition-n
	PropMessageID   = "rowvec.message_id"   // ledger:entry:partition:batch in the source topic
	PropKey         = "rowvec.key"          // the message's key, for reading; up to 512 bytes. The letter's own key is exact
	PropPublishTime = "rowvec.publish_time" // of the original message
	PropAttempts    = "rowvec.attempts"     // how often it was tried before it was given up, this time
	PropFunction    = "rowvec.function"     // tenant/namespace/name
	PropInstance    = "rowvec.instance"     // instance id
	PropTime        = "rowvec.time"         // when it was given up
	PropOmitted     = "rowvec.omitted"      // for a person: which of the original's properties, or keys, were too large for a letter; up to 2,048 bytes

	PropSchemaVersion = "rowvec.schema_version" // of the original message in its topic, in hex

	// What a message that was redriven and failed again tells of before.
	PropFirstAttempt = "rowvec.first_attempt" // when the function took the message for the first time
	PropLastAttempt  = "rowvec.last_attempt"  // when the last attempt ended
	PropRedriven     = "rowvec.redriven"      // how often it was redriven before; absent: never
	PropHistory      = "rowvec.history"       // earlier failures, a JSON list of Failure, the oldest first; at most MaxHistory
)

// Prefix is what the names of all these properties begin with.
const Prefix = "rowvec."

// Class is the class of every dead letter: neither an outage nor a wrong setting makes one (design §4).
const Class = "poison"
