/**
 * Where and by whom it is answered; traits are keys and values in turn, with NULs between. Nothing of it
 * is told where the browser asks not to be followed.
 */
export function told({ identity = "", traits }, query) {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") return { page: "", identity: "", traits: "" };
  const known = Object.entries(traits).filter(([, value]) => value != null);
  const page = location.origin + location.pathname + (query ? location.search : "");
  return { page, identity, traits: known.flat().join("\0") };
}
