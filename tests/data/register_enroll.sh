#!/bin/sh
# Builds an organization's folders with fabric-ca-client, command by command as the test network
# of fabric-samples does:  register_enroll.sh (peer PORT | orderer PORT)
#
# It works in the current folder, whose organizations/fabric-ca holds the CAs' certificates.
set -eu
kind=$1 port=$2
case $kind in
  peer) org=org1 ca=ca-org1 authority=org1
    home=$PWD/organizations/peerOrganizations/org1.example.com
    node=peer0 admin=org1admin folder=$home/peers/peer0.org1.example.com domain=org1.example.com ;;
  orderer) org=orderer ca=ca-orderer authority=ordererOrg
    home=$PWD/organizations/ordererOrganizations/example.com
    node=orderer admin=ordererAdmin folder=$home/orderers/orderer.example.com domain=example.com ;;
esac
root=$PWD/organizations/fabric-ca/$authority/ca-cert.pem

mkdir -p "$home"
export FABRIC_CA_CLIENT_HOME="$home/"
fabric-ca-client getcainfo -u "https://admin:adminpw@localhost:$port" --caname $ca --tls.certfiles "$root"
fabric-ca-client enroll -u "https://admin:adminpw@localhost:$port" --caname $ca --tls.certfiles "$root"

{
  echo 'NodeOUs:'
  echo '  Enable: true'
  for role in Client Peer Admin Orderer; do
    echo "  ${role}OUIdentifier:"
    echo "    Certificate: cacerts/localhost-$port-$ca.pem"
    echo "    OrganizationalUnitIdentifier: $(echo $role | tr A-Z a-z)"
  done
} >"$home/msp/config.yaml"
mkdir -p "$home/msp/tlscacerts" "$home/tlsca" "$home/ca"
cp "$root" "$home/msp/tlscacerts/ca.crt"
cp "$root" "$home/tlsca/tlsca.$domain-cert.pem"
cp "$root" "$home/ca/ca.$domain-cert.pem"

register() { # NAME TYPE
  fabric-ca-client register --caname $ca --id.name "$1" --id.secret "$1pw" --id.type "$2" --tls.certfiles "$root"
}

enroll() { # NAME FOLDER OPTIONS...
  name=$1 target=$2
  shift 2
  fabric-ca-client enroll -u "https://$name:${name}pw@localhost:$port" --caname $ca -M "$target" "$@" --tls.certfiles "$root"
}

register $node $kind
[ $kind = orderer ] || register user1 client
register $admin admin

enroll $node "$folder/msp"
cp "$home/msp/config.yaml" "$folder/msp/config.yaml"
enroll $node "$folder/tls" --enrollment.profile tls --csr.hosts "$node.$domain" --csr.hosts localhost
cp "$folder"/tls/tlscacerts/* "$folder/tls/ca.crt"
cp "$folder"/tls/signcerts/* "$folder/tls/server.crt"
cp "$folder"/tls/keystore/* "$folder/tls/server.key"

if [ $kind = peer ]; then
  enroll user1 "$home/users/User1@$domain/msp"
  cp "$home/msp/config.yaml" "$home/users/User1@$domain/msp/config.yaml"
fi
enroll $admin "$home/users/Admin@$domain/msp"
cp "$home/msp/config.yaml" "$home/users/Admin@$domain/msp/config.yaml"
