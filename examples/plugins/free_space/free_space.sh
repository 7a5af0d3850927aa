#!/bin/sh
# FREE_SPACE: say how much room each host has where the data of clusters goes.
set -eu

# Take a text out of the message at hand. None of those we ask for holds a quotation mark.
text() {
    printf '%s' "$message" | sed -n "s/.*\"$1\": \"\\([^\"]*\\)\".*/\\1/p"
}

answer() {
    printf '%s\n' "$1" >&4
}

while IFS= read -r message <&3; do
    case $message in
    '{"call": "load"'*) answer '{"ready": "steps"}' ;;
    '{"call": "start"'*)
        answer '{"step": {"kind": "ask", "title": "how much room is left?", "argv": ["df", "--output=avail", "-h", "/var/lib"]}}'
        ;;
    '{"call": "result"'*)
        printf '%s has %s\n' "$(text host)" "$(text stdout | base64 -d | tail -n 1 | tr -d ' ')"
        answer '{"done": true}'
        ;;
    '{"call": "error"'*) answer '{"failed": {"kind": "step", "message": "df failed"}}' ;;
    *) exit 0 ;;
    esac
done
