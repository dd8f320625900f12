package stack

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// CreateKey has a vault make a key, and returns its public half as the vault tells it. kind is as in a JSON web key: RSA,
// RSA-HSM, EC or EC-HSM; curve is for the latter two.
func (s *Stack) CreateKey(ctx context.Context, vault, name, kind, curve string, o Operator) (crypto.PublicKey, error) {
	credential, options, err := s.signIn(o)
	if err != nil {
		return nil, err
	}
	client, err := azkeys.NewClient(vaultURL(vault), credential, &azkeys.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	asked := azkeys.CreateKeyParameters{Kty: new(azkeys.KeyType(kind))}
	if curve != "" {
		asked.Curve = new(azkeys.CurveName(curve))
	}
	answer, err := client.CreateKey(ctx, name, asked, nil)
	if err != nil {
		return nil, fmt.Errorf("making key %s in vault %s: %w", name, vault, err)
	}
	if answer.Key == nil || answer.Key.Kty == nil || string(*answer.Key.Kty) != kind {
		return nil, fmt.Errorf("vault %s made something else of key %s than the %s that was asked for", vault, name, kind)
	}
	return publicKey(answer.Key)
}

// publicKey reads a JSON web key in its own way, so that a mistake of the controller's cannot hide here.
func publicKey(key *azkeys.JSONWebKey) (crypto.PublicKey, error) {
	number := func(octets []byte) *big.Int { return new(big.Int).SetBytes(octets) }
	if len(key.N) > 0 {
		return &rsa.PublicKey{N: number(key.N), E: int(number(key.E).Int64())}, nil
	}
	curves := map[azkeys.CurveName]elliptic.Curve{
		azkeys.CurveNameP256: elliptic.P256(), azkeys.CurveNameP384: elliptic.P384(), azkeys.CurveNameP521: elliptic.P521(),
	}
	if key.Crv == nil || curves[*key.Crv] == nil {
		return nil, fmt.Errorf("key %s is on no curve that is known here", key.KID.Name())
	}
	//nolint:staticcheck // SA1019: coordinates are what a JSON web key has
	return &ecdsa.PublicKey{Curve: curves[*key.Crv], X: number(key.X), Y: number(key.Y)}, nil
}
