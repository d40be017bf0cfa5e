#!/bin/sh
# Waits until a condition of an order is True, and ends where that will not come by itself:
#   wait-for-order.sh NAMESPACE ORDER [CONDITION, or Ready]
# 0: it is True. 1: the order is Stalled, suspended or only planned. 2: it is not there, or is being deleted.
# 3: it cannot be read: the credentials have run out or may not, or nothing has answered for ten minutes.
# 64: it was called without a namespace or an order.
set -u
if [ $# -lt 2 ]; then
  echo "usage: $0 NAMESPACE ORDER [CONDITION, or Ready]" >&2
  exit 64
fi
namespace=$1 order=$2 condition=${3:-Ready} first='' failures=0
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT
fields='{.metadata.uid}{"\n"}{.metadata.deletionTimestamp}{"\n"}{.metadata.generation} {.status.observedGeneration}{"\n"}'
fields=$fields'{range .status.conditions[?(@.status=="True")]}{.type} {end}{"\n"}{.status.conditions[?(@.type=="Ready")].message}{"\n"}'
end() { echo "certorder $namespace/$order: $2" >&2; exit "$1"; }

while :; do
  if kubectl -n "$namespace" get certorder "$order" -o jsonpath="$fields" >"$scratch/seen" 2>"$scratch/error"; then
    failures=0
    { read -r uid; read -r deleted; read -r generation observed; read -r conditions; read -r message; } <"$scratch/seen"
    if [ "${first:=$uid}" != "$uid" ] || [ -n "$deleted" ]; then end 2 'was deleted'; fi
    if [ "$generation" = "$observed" ]; then
      case " $conditions " in
        *" $condition "*) end 0 "$condition" ;;
        *' Stalled '* | *' Planned '* | *' Suspended '*) end 1 "$message" ;;
      esac
    fi
  else
    failures=$((failures + 1))
    message=$(tail -n 1 "$scratch/error")
    if grep -q NotFound "$scratch/error"; then end 2 "$message"; fi
    if grep -qE 'Unauthorized|Forbidden|provide credentials' "$scratch/error" || [ "$failures" -ge 20 ]; then
      end 3 "$message"
    fi
  fi
  sleep "${PAUSE:-30}"
done
