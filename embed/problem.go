package embed

import (
	"encoding/json"
	"strconv"
	"strings"
)

// problem is what an endpoint says went wrong.
type problem struct {
	message string
	codes   []string // its error codes, types and reasons, as written
}

// problemBody holds the forms in which endpoints report errors, in the same names:
// OpenAI and most {"error":{"message","type","code"}}, text-embeddings-inference {"error":"...","error_type":"..."},
// vLLM {"object":"error","message","type","code"}, FastAPI {"detail":"..."} or {"detail":[{"msg":"..."}]},
// Google [{"error":{"code":400,"message","status","details":[{"reason":"API_KEY_INVALID"}]}}].
type problemBody struct {
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"`
	Msg     json.RawMessage `json:"msg"`
	Detail  json.RawMessage `json:"detail"`
	Type    json.RawMessage `json:"type"`
	Kind    json.RawMessage `json:"error_type"`
	Code    json.RawMessage `json:"code"`
	Status  json.RawMessage `json:"status"`
	Reason  json.RawMessage `json:"reason"`
	Details json.RawMessage `json:"details"`
}

const (
	maxProblemDepth = 6 // of objects and lists within each other
	maxProblemItems = 8 // of a list of errors
)

// parseProblem reads the body of a failed request, which may be anything. Without a message in it, the message is the body itself.
func parseProblem(body []byte) problem {
	var p problem
	p.read(body, maxProblemDepth)
	if p.message == "" {
		p.message = string(body)
	}
	return p
}

func (p *problem) read(raw json.RawMessage, depth int) {
	if depth == 0 || len(raw) == 0 {
		return
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		p.say(text)
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, item := range list[:min(len(list), maxProblemItems)] {
			p.read(item, depth-1)
		}
		return
	}
	var body problemBody
	if json.Unmarshal(raw, &body) != nil {
		return
	}
	for _, code := range []json.RawMessage{body.Code, body.Type, body.Kind, body.Status, body.Reason} {
		p.code(code)
	}
	for _, inner := range []json.RawMessage{body.Error, body.Message, body.Msg, body.Detail, body.Details} {
		p.read(inner, depth-1)
	}
}

func (p *problem) say(text string) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
	case p.message == "":
		p.message = text
	default:
		p.message += "; " + text
	}
}

func (p *problem) code(raw json.RawMessage) {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		p.codes = append(p.codes, text)
		return
	}
	var number int
	if json.Unmarshal(raw, &number) == nil {
		p.codes = append(p.codes, strconv.Itoa(number))
	}
}
