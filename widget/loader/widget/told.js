/**
 * Where and by whom it is answered; traits are keys and values in turn, with NULs between. Nothing of it
 * is told where the browser asks not to be followed.
 */
export function told({ identity = "", traits }, query) {
  if (navigator.globalPrivacyControl || navigator.doNotTrack === "1") return { page: "", identity: "", traits: "" };
  // With a token that is over, the whole display would be refused.
  if (isOver(identity)) identity = "";
  const known = Object.entries(traits).filter(([, value]) => value != null);
  const page = location.origin + location.pathname + (query ? location.search : "");
  return { page, identity, traits: known.flat().join("\0") };
}

/** Whether a token's time is over; what cannot be read the server may judge. */
function isOver(token) {
  try {
    const claims = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return claims.match(/"exp":(\d+)/)[1] * 1000 < Date.now();
  } catch {
    return false;
  }
}
