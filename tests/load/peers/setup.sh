#!/usr/bin/env bash
# setup.sh PROJECT WORK: builds the stub, the load generator and the peers in WORK, from PROJECT's own wsdl/ and xsd/.
# PYTHON is one with lxml. Debian: gcc libc6-dev libssl-dev default-jdk-headless jaxws nodejs npm. NPM: soap and libxml2-wasm, fetched into WORK.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); project=$(cd "$1" && pwd); mkdir -p "$2"; work=$(cd "$2" && pwd)
for needed in gcc wsimport javac node npm; do
  command -v $needed >/dev/null || { echo "$needed is missing: apt install gcc libc6-dev libssl-dev default-jdk-headless jaxws nodejs npm" >&2; exit 1; }
done
mkdir -p "$work"/{bin,java,node}
for program in stub load; do gcc -O2 -Wall -o "$work/bin/$program" "$here/$program/$program.c" -lssl -lcrypto; done
"${PYTHON:-python3}" "$here/contracts.py" "$project" "$work/contract-own" > "$work/contract.env"; . "$work/contract.env"

cp -r "$here"/java/* "$work/java"; cd "$work/java"; rm -rf gen classes; mkdir gen classes
wsimport -keep -Xnocompile -extension -d gen -b binding.xml -wsdllocation contract.wsdl "$WSDL" > gen.log 2>&1
jars=
for jar in jaxws-ri-runtime jaxws-rt jaxws-api jaxb-api jaxb-runtime jaxb-core jaxb-impl jws-api saaj-impl \
    istack-commons-runtime streambuffer stax-ex stax2-api woodstox-core txw2 mimepull gmbal glassfish-management-api \
    metro-policy javax.activation FastInfoset javax.annotation-api jaxws-ri-servlet jaxws-ri-httpspi-servlet \
    javax.xml.soap-api saaj-api jsr181-api; do
  if [ -e /usr/share/java/$jar.jar ]; then jars+=/usr/share/java/$jar.jar:; fi
done
echo "$jars" > classpath.txt
find gen src -name '*.java' -print0 | xargs -0 javac -nowarn -encoding UTF-8 -cp "$jars" -d classes 2>&1 | { grep -v '^Note' || true; }

cp "$here"/node/* "$work/node"; cd "$work/node"
test -f package.json || npm init -y >/dev/null
npm install --silent --no-audit --no-fund soap@1 libxml2-wasm@0.7 >/dev/null
touch "$work/built"
