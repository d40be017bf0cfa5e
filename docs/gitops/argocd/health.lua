-- Health of a CertificateOrder or an OrganizationProfile. An order that waits for a person is Suspended, not Degraded:
-- nothing is broken, and somebody has something to do.
local progressing = { status = "Progressing", message = "Waiting for certorder" }
local status = obj.status
if status == nil or status.conditions == nil then
  return progressing
end
if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  progressing.message = "Waiting for certorder to see the latest change"
  return progressing
end
local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
-- The first that holds decides.
local order = {
  { "Suspended", "Suspended" },
  { "Planned", "Suspended" },
  { "Stalled", "Degraded" },
  { "Ready", "Healthy" },
  { "ActionRequired", "Suspended" },
}
for _, rule in ipairs(order) do
  local condition = conditions[rule[1]]
  if condition ~= nil and condition.status == "True" then
    return { status = rule[2], message = condition.message }
  end
end
if conditions.Ready ~= nil then
  progressing.message = conditions.Ready.message
end
return progressing
